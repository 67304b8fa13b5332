select town_id, demo, capacity,
       (select bucket from headline_10s where headline_10s.town_id = town.town_id order by bucket limit 1) as first_bucket
  from town
 where name = $1
