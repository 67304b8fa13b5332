-- Makes agent-seconds per minute from presence in the spans $2 (each 30 minutes long) of town $1: an agent works in a
-- minute if it has presence in that minute or in one of the two before (model::roster::WORKING_HOLD_S).
with span as (
    select start, start + interval '30 minutes' as stop from unnest($2::timestamptz[]) as start
), at_work as (
    select distinct span.start, p.minute + held * interval '1 minute' as bucket, p.rig, p.agent
    from span
    -- Read span by span (`offset 0`): joined freely, a planner with old statistics reads the whole town for each span.
    cross join lateral (
        select t.minute, t.rig, t.agent from presence t
        where t.town_id = $1 and t.minute >= span.start - interval '2 minutes' and t.minute < span.stop
        offset 0
    ) as p
    cross join generate_series(0, 2) as held
    where p.minute + held * interval '1 minute' >= span.start and p.minute + held * interval '1 minute' < span.stop
), fresh as (
    select bucket, count(*) * 60 as seconds from at_work group by bucket
), gone as (
    -- Found span by span (`offset 0` keeps the planner from reading the whole tier) and deleted by their place: only
    -- the worker writes here, and it holds the town's lock.
    delete from working_1m where ctid = any(array(
        select old.place
        from span cross join lateral (
            select t.ctid as place, t.bucket from working_1m t
            where t.town_id = $1 and t.bucket >= span.start and t.bucket < span.stop
            offset 0
        ) as old
        where not exists (select from fresh where fresh.bucket = old.bucket)
    ))
)
insert into working_1m as t (town_id, bucket, seconds)
select $1, bucket, seconds from fresh order by bucket
on conflict (town_id, bucket) do update set seconds = excluded.seconds
where t.seconds is distinct from excluded.seconds
