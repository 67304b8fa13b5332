-- What is due, the longest waiting first; what another server has in hand is left to it.
select town_id, delivery_id, hook, kind, body, tries
  from delivery
 where next_try <= $1 and hook = any($2)
 order by next_try
 limit $3
   for update skip locked
