-- adds sums to a tier of town $1; only the worker writes here, and it holds the town's lock. `{tier}` is filled in by
-- db::spend.
insert into {tier} as t (town_id, spender, bucket, role, rig, agent, model, bead, session, provenance, calls,
                         input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
                         cost, unpriced_tokens)
select $1, * from unnest($2::uuid[], $3::timestamptz[], $4::smallint[], $5::text[], $6::text[], $7::text[], $8::text[],
                         $9::text[], $10::smallint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[],
                         $15::bigint[], $16::bigint[], $17::bigint[], $18::bigint[])
on conflict (town_id, bucket, spender) do update set
    calls = t.calls + excluded.calls,
    input_tokens = t.input_tokens + excluded.input_tokens,
    output_tokens = t.output_tokens + excluded.output_tokens,
    cache_read_tokens = t.cache_read_tokens + excluded.cache_read_tokens,
    cache_write_5m_tokens = t.cache_write_5m_tokens + excluded.cache_write_5m_tokens,
    cache_write_1h_tokens = t.cache_write_1h_tokens + excluded.cache_write_1h_tokens,
    cost = t.cost + excluded.cost,
    unpriced_tokens = t.unpriced_tokens + excluded.unpriced_tokens
