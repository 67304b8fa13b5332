-- Makes buckets of {to} from {from} in the spans $2 (each {span} long) of town $1: what is gone goes, what is new
-- or differs is written, what is the same is not touched. `{…}` is filled in by db::tier.
with span as (
    select start, start + {span} as stop from unnest($2::timestamptz[]) as start
), fresh as (
    select date_bin({step}, f.bucket, 'epoch'::timestamptz) as bucket, f.role,
           sum(f.cost)::bigint as cost,
           sum(f.tokens)::bigint as tokens,
           sum(f.calls)::bigint as calls,
           sum(f.events)::bigint as events
    -- Read span by span (`offset 0`): joined freely, a planner with old statistics reads the whole town for each span.
    from span cross join lateral (
        select * from by_role_{from} t
        where t.town_id = $1 and t.bucket >= span.start and t.bucket < span.stop
        offset 0
    ) as f
    group by 1, f.role
), gone as (
    -- Found span by span (`offset 0` keeps the planner from reading the whole tier) and deleted by their place: only
    -- the worker writes here, and it holds the town's lock.
    delete from by_role_{to} where ctid = any(array(
        select old.place
        from span cross join lateral (
            select t.ctid as place, t.bucket, t.role from by_role_{to} t
            where t.town_id = $1 and t.bucket >= span.start and t.bucket < span.stop
            offset 0
        ) as old
        where not exists (select from fresh where fresh.bucket = old.bucket and fresh.role = old.role)
    ))
)
insert into by_role_{to} as t (town_id, bucket, role, cost, tokens, calls, events)
select $1, * from fresh order by bucket, role
on conflict (town_id, bucket, role) do update set
    cost = excluded.cost,
    tokens = excluded.tokens,
    calls = excluded.calls,
    events = excluded.events
where (t.cost, t.tokens, t.calls, t.events)
   is distinct from (excluded.cost, excluded.tokens, excluded.calls, excluded.events)
