-- The parts of town $1 in the spans $2 (5 minutes each), read span by span (`offset 0`): joined freely, a planner with old
-- statistics reads the whole town for each.
select f.bucket, f.kind, f.name, f.calls, f.errors, f.total_us, f.sketch, f.part
from unnest($2::timestamptz[]) as start cross join lateral (
    select * from latency_10s t
    where t.town_id = $1 and t.bucket >= start and t.bucket < start + interval '5 minutes'
    offset 0
) as f
