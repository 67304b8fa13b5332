-- What should have ended by now: by request_open.
select r.town_id, town.name as town_name, id, started_at, told_by, {of}
  from request r
  join town on town.town_id = r.town_id
 where ended_at is null and lost_at is null and started_at is not null and started_at <= $1
 order by r.town_id, started_at
 limit $2
