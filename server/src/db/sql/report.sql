-- Straight from the events, not from rollups: a report has every dimension, and is asked for by hand.
-- kind 0: EventKind::ModelCall
select case $4
           when 'daily' then to_char(ts at time zone $5, 'YYYY-MM-DD')
           when 'session' then session
           when 'model' then model
           when 'role' then role::text
           when 'bead' then bead
       end as key,
       coalesce(sum(input_tokens), 0)::bigint,
       coalesce(sum(output_tokens), 0)::bigint,
       coalesce(sum(cache_read_tokens), 0)::bigint,
       coalesce(sum(cache_write_5m_tokens), 0)::bigint,
       coalesce(sum(cache_write_1h_tokens), 0)::bigint,
       coalesce(sum(cost), 0)::bigint,
       coalesce(sum(input_tokens + output_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens)
                filter (where cost is null), 0)::bigint,
       count(*)
from event
where town_id = $1 and ts >= $2 and ts < $3 and kind = 0
group by 1
limit 100000
