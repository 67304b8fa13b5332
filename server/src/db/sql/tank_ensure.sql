-- A tank becomes known with its first reading, up to $6 of a town: names come from outside. One that another source tells
-- of keeps what it is.
insert into tank (town_id, name, kind, source, currency)
select $1, $2, $3, $4, $5
 where (select count(*) from tank where town_id = $1) < $6
    or exists (select 1 from tank where town_id = $1 and name = $2)
    on conflict (town_id, name) do update
   set currency = excluded.currency
 where tank.source = excluded.source and tank.currency <> excluded.currency
