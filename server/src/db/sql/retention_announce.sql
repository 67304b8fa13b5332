-- a floor only rises; raising it makes it young again, so that it is not acted upon before everyone has read it
insert into retention as r (store, floor) values ($1, $2)
on conflict (store) do update set floor = excluded.floor, announced_at = now()
where excluded.floor > r.floor
