-- The calls of town $1 from $2 to before $3, folded from scratch as model::cost::SpendSum::of says it. Provenance 4 is
-- Provenance::Unpriced.
select date_bin(interval '15 minutes', ts, 'epoch'::timestamptz) as bucket, role, coalesce(rig, '') as rig,
       coalesce(agent, '') as agent, model, coalesce(bead, '') as bead, coalesce(session, '') as session,
       coalesce(provenance, 4::smallint) as provenance,
       count(*) as calls,
       sum(input_tokens)::bigint as input_tokens,
       sum(output_tokens)::bigint as output_tokens,
       sum(cache_read_tokens)::bigint as cache_read_tokens,
       sum(cache_write_5m_tokens)::bigint as cache_write_5m_tokens,
       sum(cache_write_1h_tokens)::bigint as cache_write_1h_tokens,
       coalesce(sum(cost), 0)::bigint as cost,
       coalesce(sum(input_tokens + output_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens)
                filter (where cost is null), 0)::bigint as unpriced_tokens
from event
where town_id = $1 and ts >= $2 and ts < $3 and kind = 0
group by 1, 2, 3, 4, 5, 6, 7, 8
