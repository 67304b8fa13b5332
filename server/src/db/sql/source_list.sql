-- A town's sources, each with how long ago it was heard of, by this clock alone: `last_heard` and refusals have its time,
-- while events have their own. A source of which nothing was understood has names in `unmapped` and no row. In practice a
-- dozen rows of each.
with names as (
    select source, max(last_seen) as last_seen, count(*) as names, sum(count)::bigint as times
    from unmapped
    where town_id = $1
    group by source
)
select source,
       coalesce(s.received, 0) as received, coalesce(s.stored, 0) as stored, coalesce(s.duplicate, 0) as duplicate,
       coalesce(s.rejected, 0) as rejected, s.last_event, s.lag_ms,
       coalesce(s.reported, 0) as reported, coalesce(s.computed, 0) as computed,
       (extract(epoch from now() - greatest(s.last_heard, n.last_seen)) * 1000)::bigint as heard_ms,
       -- the last thing that was heard is one that was refused
       coalesce((select r.ts >= greatest(s.last_heard, n.last_seen) from rejection r
                 where r.town_id = $1 and r.source = s.source order by r.id desc limit 1), false) as refused_last,
       coalesce(n.names, 0) as unmapped_names, coalesce(n.times, 0) as unmapped_times,
       (extract(epoch from now()) * 1000000)::bigint as now_us
from (select * from source where town_id = $1) s full join names n using (source)
order by source
limit $2
