-- The calls of town $1 from $14 on, newest first, before the place ($10, $11): the primary key, read backwards, newest
-- partition first. At most $12 rows are looked at, so that a filter that little fits does not read all of history; the last
-- one looked at says where to go on. $2 to $9: the filter, null: none. Provenance 4 is Provenance::Unpriced.
with looked as materialized (
    select {columns}
      from event
     where town_id = $1 and ts <= $10 and (ts, key) < ($10, $11) and ts >= $14
     order by ts desc, key desc
     limit $12
), fitting as (
    select *
      from looked
     where kind = 0
       and ($2::smallint[] is null or role = any($2))
       and ($3::text[] is null or coalesce(rig, '') = any($3))
       and ($4::text[] is null or coalesce(agent, '') = any($4))
       and ($5::text[] is null or model = any($5))
       and ($6::text[] is null or model = any($6))
       and ($7::text[] is null or coalesce(bead, '') = any($7))
       and ($8::text[] is null or coalesce(session, '') = any($8))
       and ($9::smallint[] is null or coalesce(provenance, 4::smallint) = any($9))
     order by ts desc, key desc
     limit $13
)
select (select count(*) from looked) as looked_at,
       (select ts from looked order by ts, key limit 1) as last_ts,
       (select key from looked order by ts, key limit 1) as last_key,
       f.*
  from (select 1) as always left join fitting f on true
 order by f.ts desc, f.key desc
