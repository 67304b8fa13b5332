-- As many rows per bucket as roles that spent in it.
select bucket, role, cost
  from by_role_{tier}
 where town_id = $1 and bucket >= $2 and bucket < $3
 limit 14000
