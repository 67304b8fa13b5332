select bucket, seconds
  from working_{tier}
 where town_id = $1 and bucket >= $2 and bucket < $3
 order by bucket
 limit 2000
