with extended as (
    update coverage set to_ts = greatest(to_ts, $1)
     where (town_id, from_ts) in (
               select distinct on (town_id) town_id, from_ts from coverage
                where to_ts >= $2 order by town_id, from_ts)
    returning town_id
)
insert into coverage (town_id, from_ts, to_ts)
select town_id, $1, $1 from town where town_id not in (select town_id from extended)
on conflict (town_id, from_ts) do nothing
