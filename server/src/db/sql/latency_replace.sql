-- Makes a coarser tier of town $1 in the spans $2 (each {span} long) what $3 to $9 say: what is gone goes, what is new or
-- differs is written, what is the same is not touched. `{…}` is filled in by db::latency.
with fresh as (
    select * from unnest($3::timestamptz[], $4::smallint[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bytea[])
                  as t(bucket, kind, name, calls, errors, total_us, sketch)
), gone as (
    -- Found span by span (`offset 0` keeps the planner from reading the whole tier) and deleted by their place: only
    -- the worker writes here, and it holds the town's lock.
    delete from latency_{tier} where ctid = any(array(
        select old.place
        from unnest($2::timestamptz[]) as start cross join lateral (
            select t.ctid as place, t.bucket, t.kind, t.name from latency_{tier} t
            where t.town_id = $1 and t.bucket >= start and t.bucket < start + {span}
            offset 0
        ) as old
        where not exists (
            select from fresh where fresh.bucket = old.bucket and fresh.kind = old.kind and fresh.name = old.name
        )
    ))
)
insert into latency_{tier} as t (town_id, bucket, kind, name, calls, errors, total_us, sketch)
select $1, * from fresh order by bucket, kind, name
on conflict (town_id, bucket, kind, name) do update set
    calls = excluded.calls,
    errors = excluded.errors,
    total_us = excluded.total_us,
    sketch = excluded.sketch
where (t.calls, t.errors, t.total_us, t.sketch)
   is distinct from (excluded.calls, excluded.errors, excluded.total_us, excluded.sketch)
