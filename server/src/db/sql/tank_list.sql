-- The tanks of a town with their newest readings by time. Readings dated after $2 do not count yet (a clock elsewhere
-- is ahead), and a tank that nobody has told of since $3 is forgotten.
select tank.name, tank.source, tank.kind, tank.meter, tank.currency, tank.trouble, tank.capacity,
       newest.at, newest.amount, newest.resets_at,
       (select max(amount) from reading where town_id = $1 and tank = tank.name and at <= $2) as most
  from tank
  left join lateral (
       select at, amount, resets_at from reading
        where town_id = $1 and tank = tank.name and at <= $2
        order by at desc limit 1) as newest on true
 where tank.town_id = $1
   and (newest.at >= $3 or tank.asked_at >= $3)
 order by tank.name
 limit 100
