-- The newest refused items of each source of a town: the primary key, read backwards from each source's end.
select s.source, r.place, r.reason, (extract(epoch from now() - r.ts) * 1000)::bigint as ago_ms
from (select source from source where town_id = $1 order by source limit $2) s
cross join lateral (
    select place, reason, ts, id from rejection r
    where r.town_id = $1 and r.source = s.source
    order by r.id desc limit $3
) r
order by s.source, r.id desc
