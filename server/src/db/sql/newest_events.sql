-- The primary key, read backwards, newest partition first.
select {columns}
  from event
 where town_id = $1 and ts >= $2
 order by ts desc, key desc
 limit $3
