-- by the primary key, backwards
select * from reprice where town_id = $1 order by job_id desc limit $2
