select town_id, demo, capacity,
       (select ts from event where event.town_id = town.town_id order by ts limit 1) as first_event
  from town
 where name = $1
