-- When a town has its fill of tanks, those go that nobody has told of since $3 (pages have not shown them since), with
-- their readings: names come from outside, and new ones must find a place.
with gone as (
    delete from tank
     where town_id = $1
       and not meter
       and (select count(*) from tank where town_id = $1) >= $2
       and (asked_at is null or asked_at < $3)
       and not exists (select 1 from reading where town_id = $1 and tank = tank.name and at >= $3)
    returning name
)
delete from reading where town_id = $1 and tank in (select name from gone)
