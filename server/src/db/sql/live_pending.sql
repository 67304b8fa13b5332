-- what waits for the worker; counted up to a bound
select (select count(*) from (select distinct bucket from rollup_dirty where town_id = $1 limit 10000) as half_hours),
       (select count(*) from (select from latency_rebuild where town_id = $1 limit 10000) as six_hours)
