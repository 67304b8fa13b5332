-- After the commit of the events read: a crash in between re-reads them, and they are dropped as duplicates.
insert into cursor (town_id, source, path, head, position, lines, memory, read_at)
select $1, $2, path, head, position, lines, memory, now()
from unnest($3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[])
    as given (path, head, position, lines, memory)
order by path
on conflict (town_id, source, path) do update
set head = excluded.head, position = excluded.position, lines = excluded.lines, memory = excluded.memory,
    read_at = excluded.read_at
