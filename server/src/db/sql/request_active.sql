-- What is in flight, those that began first: by request_open, which holds little else. An implied one is over as soon as
-- the event that tells its end is stored. Counted up to $3.
with open as materialized (
    select id, started_at, {of}
      from request r
     where town_id = $1 and ended_at is null and lost_at is null and started_at > $2
       and (told_by is null or not exists (select from claim c where c.town_id = $1 and c.message = r.told_by))
     order by started_at, id
     limit $3
)
select *, (select count(*) from open) as all_active from open order by started_at, id limit $4
