-- a job, unless $7 of the town's wait already
insert into reprice (town_id, from_ts, to_ts, model, cursor_ts, cursor_key)
select $1, $2, $3, $4, $5, $6
where (select count(*) from reprice where town_id = $1 and finished_at is null) < $7
returning job_id
