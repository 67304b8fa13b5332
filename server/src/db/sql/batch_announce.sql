-- what the rollup worker has to redo, and word to the other processes: both take effect with the commit
with marked as (
    insert into rollup_dirty (town_id, bucket) select * from unnest($1::integer[], $2::timestamptz[])
)
select pg_notify('towngauge', told) from unnest($3::text[]) as told
