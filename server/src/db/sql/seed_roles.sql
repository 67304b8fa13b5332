select bucket, role, cost
  from by_role_10s
 where town_id = $1 and bucket >= $2
 limit 7000
