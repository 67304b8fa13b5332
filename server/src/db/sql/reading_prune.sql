-- Keeps the newest $3 readings of a tank.
delete from reading
 where town_id = $1 and tank = $2
   and at <= (select at from reading where town_id = $1 and tank = $2 order by at desc offset $3 limit 1)
