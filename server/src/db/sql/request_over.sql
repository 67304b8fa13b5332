-- Requests that are over. What has no row was never in flight, and gets none. Locked in the order of their ids.
with locked as (
    select id from request where town_id = $1 and id = any($2) order by id for update
)
update request r
set ended_at = least(r.ended_at, n.at), ok = coalesce(r.ok, true)
from unnest($2::uuid[], $3::timestamptz[]) as n(id, at)
join locked using (id)
where r.town_id = $1 and r.id = n.id
returning r.id, r.ended_at, r.lost_at is not null and r.told_by is null as was_lost, {of}
