-- When requests began and were over: from request_span alone, newest first, at most $4.
select started_at, coalesce(ended_at, lost_at) as over_at
  from request
 where town_id = $1 and at >= $2 and at < $3 and started_at is not null
 order by at desc
 limit $4
