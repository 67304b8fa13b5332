-- jobs that changed something in a span; a town has a handful, and they stand together in the primary key
select * from reprice
where town_id = $1 and changed_from < $3 and changed_to >= $2
order by job_id desc
limit $4
