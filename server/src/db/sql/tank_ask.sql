-- Takes the turn to ask a provider, unless another process took it within the period: a row comes back for the one who
-- got it. What the owner configured is kept with the tank on the way.
-- $6: now. $7: taken before this, the turn is free again.
insert into tank (town_id, name, kind, source, meter, capacity, asked_at)
values ($1, $2, 'money', $3, $4, $5, $6)
    on conflict (town_id, name) do update
   set kind = excluded.kind, source = excluded.source, meter = excluded.meter, capacity = excluded.capacity,
       asked_at = excluded.asked_at
 where tank.asked_at is null or tank.asked_at <= $7 or tank.asked_at > $6
returning name
