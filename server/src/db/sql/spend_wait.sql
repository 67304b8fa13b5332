-- rows that wait for the worker
insert into spend_part (town_id, bucket, role, rig, agent, model, bead, session, provenance, calls, input_tokens,
                        output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cost,
                        unpriced_tokens)
select $1, * from unnest($2::timestamptz[], $3::smallint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                         $9::smallint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[],
                         $15::bigint[], $16::bigint[], $17::bigint[])
