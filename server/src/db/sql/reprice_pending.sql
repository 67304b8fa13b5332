-- by the partial index reprice_pending, which holds no others
select town_id, job_id from reprice where finished_at is null order by town_id, job_id limit 100
