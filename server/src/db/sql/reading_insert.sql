-- Stores readings in whatever order they come. Told twice, one counts once.
-- $1: town. $2…$5: tank, time, amount, reset. $7: who tells; a tank belongs to the one who told of it first. $6: leave out what only repeats what was read within the minute before.
insert into reading (town_id, tank, at, amount, resets_at)
select $1, told.tank, told.at, told.amount, told.resets_at
  from unnest($2::text[], $3::timestamptz[], $4::bigint[], $5::timestamptz[], $7::text[])
       as told (tank, at, amount, resets_at, source)
 where exists (select 1 from tank where tank.town_id = $1 and tank.name = told.tank and tank.source = told.source)
   and not ($6 and exists (
       select 1 from reading as before
        where before.town_id = $1 and before.tank = told.tank
          and before.at <= told.at and before.at > told.at - interval '1 minute'
          and before.amount = told.amount and before.resets_at is not distinct from told.resets_at))
    on conflict (town_id, tank, at) do nothing
