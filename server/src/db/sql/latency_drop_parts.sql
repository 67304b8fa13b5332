-- parts that were joined into one; nobody else takes them away but retention
delete from latency_10s l
using unnest($2::timestamptz[], $3::bigint[]) as joined(bucket, part)
where l.town_id = $1 and l.bucket = joined.bucket and l.part = joined.part
