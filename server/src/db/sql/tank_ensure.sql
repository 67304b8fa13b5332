-- A tank becomes known with its first reading, up to $6 of a town: names come from outside.
insert into tank (town_id, name, kind, source, currency)
select $1, $2, $3, $4, $5
 where (select count(*) from tank where town_id = $1) < $6
    on conflict (town_id, name) do nothing
