-- spans of a range that the worker has not redone yet, newest first
select distinct bucket from latency_dirty
where town_id = $1 and bucket >= $2 and bucket < $3
order by bucket desc
limit $4
