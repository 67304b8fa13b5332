select first_seen, last_seen
  from agent
 where town_id = $1 and first_seen < $3 and last_seen >= $2
 limit 10000
