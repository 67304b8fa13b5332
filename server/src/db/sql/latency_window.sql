-- The sums that make up a window of town $1 (db::latency::read): pieces of the finest tier from $2 to before $3, then the
-- same of 5 min, 30 min and 6 h. Some hundred rows, whatever the window. Each piece is read by itself (`offset 0`), straight
-- from the primary key.
select f.bucket, f.kind, f.name, f.calls, f.errors, f.total_us, f.sketch
from unnest($2::timestamptz[], $3::timestamptz[]) as piece(start, stop) cross join lateral (
    select * from latency_10s t where t.town_id = $1 and t.bucket >= piece.start and t.bucket < piece.stop offset 0
) as f
union all
select f.bucket, f.kind, f.name, f.calls, f.errors, f.total_us, f.sketch
from unnest($4::timestamptz[], $5::timestamptz[]) as piece(start, stop) cross join lateral (
    select * from latency_5m t where t.town_id = $1 and t.bucket >= piece.start and t.bucket < piece.stop offset 0
) as f
union all
select f.bucket, f.kind, f.name, f.calls, f.errors, f.total_us, f.sketch
from unnest($6::timestamptz[], $7::timestamptz[]) as piece(start, stop) cross join lateral (
    select * from latency_30m t where t.town_id = $1 and t.bucket >= piece.start and t.bucket < piece.stop offset 0
) as f
union all
select f.bucket, f.kind, f.name, f.calls, f.errors, f.total_us, f.sketch
from unnest($8::timestamptz[], $9::timestamptz[]) as piece(start, stop) cross join lateral (
    select * from latency_6h t where t.town_id = $1 and t.bucket >= piece.start and t.bucket < piece.stop offset 0
) as f
limit 200000
