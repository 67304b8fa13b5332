-- Makes buckets of {to} from {from} in the spans $2 (each {span} long) of town $1: what is gone goes, what is new
-- or differs is written, what is the same is not touched. `{…}` is filled in by db::tier.
with span as (
    select start, start + {span} as stop from unnest($2::timestamptz[]) as start
), fresh as (
    select date_bin({step}, f.bucket, 'epoch'::timestamptz) as bucket,
           sum(f.seconds)::bigint as seconds
    -- Read span by span (`offset 0`): joined freely, a planner with old statistics reads the whole town for each span.
    from span cross join lateral (
        select * from working_{from} t
        where t.town_id = $1 and t.bucket >= span.start and t.bucket < span.stop
        offset 0
    ) as f
    group by 1
), gone as (
    -- Found span by span (`offset 0` keeps the planner from reading the whole tier) and deleted by their place: only
    -- the worker writes here, and it holds the town's lock.
    delete from working_{to} where ctid = any(array(
        select old.place
        from span cross join lateral (
            select t.ctid as place, t.bucket from working_{to} t
            where t.town_id = $1 and t.bucket >= span.start and t.bucket < span.stop
            offset 0
        ) as old
        where not exists (select from fresh where fresh.bucket = old.bucket)
    ))
)
insert into working_{to} as t (town_id, bucket, seconds)
select $1, * from fresh order by bucket
on conflict (town_id, bucket) do update set
    seconds = excluded.seconds
where (t.seconds)
   is distinct from (excluded.seconds)
