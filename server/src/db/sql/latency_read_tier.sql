-- A coarser tier of town $1 in the spans $2 (each {span} long); `{…}` is filled in by db::latency.
select f.bucket, f.kind, f.name, f.calls, f.errors, f.total_us, f.sketch, 0::bigint as part
from unnest($2::timestamptz[]) as start cross join lateral (
    select * from latency_{tier} t
    where t.town_id = $1 and t.bucket >= start and t.bucket < start + {span}
    offset 0
) as f
