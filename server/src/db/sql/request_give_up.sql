-- Lost, without an event that says so; unless one that tells the end came just now.
update request r
set lost_at = started_at + make_interval(secs => $3::integer)
where town_id = $1 and id = any($2) and ended_at is null and lost_at is null
  and (told_by is null or not exists (select from claim c where c.town_id = $1 and c.message = r.told_by))
