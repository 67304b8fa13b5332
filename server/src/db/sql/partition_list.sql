-- one row per day of history
select child.relname::text
from pg_inherits
join pg_class child on child.oid = pg_inherits.inhrelid
where pg_inherits.inhparent = 'event'::regclass
