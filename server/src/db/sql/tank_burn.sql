-- The last reading of each five minutes since $2, by tank and time: enough to say what was burnt in each.
select distinct on (tank, date_bin('5 minutes', at, timestamptz '2000-01-01')) tank, at, amount, resets_at
  from reading
 where town_id = $1 and at >= $2 and at <= $3
 order by tank, date_bin('5 minutes', at, timestamptz '2000-01-01'), at desc
 limit 40000
