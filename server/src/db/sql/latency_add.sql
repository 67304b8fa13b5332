-- parts of the finest tier; who reads them adds them up
insert into latency_10s (town_id, bucket, kind, name, calls, errors, total_us, sketch)
select $1, * from unnest($2::timestamptz[], $3::smallint[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bytea[])
