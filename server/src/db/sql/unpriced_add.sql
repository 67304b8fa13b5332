-- calls without a price, as many more or fewer
insert into unpriced as u (town_id, model, bucket, calls, input_tokens, output_tokens, cache_read_tokens,
                           cache_write_5m_tokens, cache_write_1h_tokens, first_seen, last_seen)
select * from unnest($1::integer[], $2::text[], $3::timestamptz[], $4::bigint[], $5::bigint[], $6::bigint[],
                     $7::bigint[], $8::bigint[], $9::bigint[], $10::timestamptz[], $11::timestamptz[])
on conflict (town_id, model, bucket) do update set
    calls = u.calls + excluded.calls,
    input_tokens = u.input_tokens + excluded.input_tokens,
    output_tokens = u.output_tokens + excluded.output_tokens,
    cache_read_tokens = u.cache_read_tokens + excluded.cache_read_tokens,
    cache_write_5m_tokens = u.cache_write_5m_tokens + excluded.cache_write_5m_tokens,
    cache_write_1h_tokens = u.cache_write_1h_tokens + excluded.cache_write_1h_tokens,
    first_seen = least(u.first_seen, excluded.first_seen),
    last_seen = greatest(u.last_seen, excluded.last_seen)
