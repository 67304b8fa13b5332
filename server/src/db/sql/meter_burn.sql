-- What calls cost in each five minutes from $2 to before $3.
select date_bin('5 minutes', bucket, timestamptz '2000-01-01') as five, sum(cost_nanodollars)::bigint
  from headline_10s
 where town_id = $1 and bucket >= $2 and bucket < $3
 group by five
 limit 300
