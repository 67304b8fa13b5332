-- The tools of town $1 that were used most from $2 on, out of the coarsest tier: some dozen rows per tool and week.
select name
  from latency_6h
 where town_id = $1 and bucket >= $2 and kind = 1
 group by name
having sum(calls) > 0
 order by sum(calls) desc, name
 limit $3
