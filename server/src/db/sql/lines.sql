-- A page of events, newest first, before the place ($2, $3): the primary key, read backwards, newest partition first. At
-- most $5 rows are looked at, so that a filter that little fits does not read all of history; the last one looked at says
-- where to go on. Filters that are null are none. Levels are those of model::event_line::Level: 2 failed, 1 stuck agents
-- (state 2), calls without a price and lost requests (state 2), 0 the rest; lines of logs say theirs.
with looked as materialized (
    select {columns}
      from event
     where town_id = $1 and ts <= $2 and (ts, key) < ($2, $3) and ts >= $4
     order by ts desc, key desc
     limit $5
), fitting as (
    select *
      from looked
     where ($6::smallint[] is null or kind = any($6))
       and ($7::text is null or rig = $7)
       and ($8::smallint[] is null or role = any($8))
       and ($9::text is null or agent = $9)
       and ($10::smallint[] is null or case
                when ok is false then 2
                when (kind = 0 and cost is null) or (kind in (3, 8) and state = 2) then 1
                when kind = 9 then state
                else 0
            end = any($10))
       and ($11::text is null
            or strpos(lower(concat_ws(' ', model, tool, file, agent, rig, session, bead, source, message)), lower($11)) > 0)
       and ($13::text[] is null or source = any($13))
     order by ts desc, key desc
     limit $12
)
select (select count(*) from looked) as looked_at,
       (select ts from looked order by ts, key limit 1) as last_ts,
       (select key from looked order by ts, key limit 1) as last_key,
       f.*
  from (select 1) as always left join fitting f on true
 order by f.ts desc, f.key desc
