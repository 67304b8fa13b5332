-- whether that process of Postgres still has custody (custody_take.sql); 2: a lock named by two numbers
select exists (
    select from pg_locks
    where locktype = 'advisory' and granted and pid = $2
      and database = (select oid from pg_database where datname = current_database())
      and classid = x'63757374'::integer::oid and objid = $1::integer::oid and objsubid = 2
)
