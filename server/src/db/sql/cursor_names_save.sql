-- A project keeps the name it was given first.
insert into cursor (town_id, source, path, head, position, memory)
select $1, $2, path, 0, 0, memory
from unnest($3::text[], $4::text[]) as given (path, memory)
order by path
on conflict (town_id, source, path) do nothing
