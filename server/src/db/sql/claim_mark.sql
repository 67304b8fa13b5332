-- batches that decide at once (custody_take.sql) may mark the same group, with the same: the first does
insert into claim (town_id, message, request, ts, key, sidechain, tokens, has_speed, origin, reported, basis)
select * from unnest($1::integer[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::uuid[], $6::boolean[], $7::bigint[],
                     $8::boolean[], $9::bigint[], $10::timestamptz[], $11::smallint[])
on conflict (town_id, message, request) do nothing
