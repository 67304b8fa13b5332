-- The newest calls among the newest events: the primary key, read backwards, newest partition first.
select {columns}
  from (select {columns} from event where town_id = $1 and ts >= $2 order by ts desc, key desc limit $3) as newest
 where kind = 0
 order by ts desc, key desc
 limit $4
