-- The exact cost of a town's calls from $2 to before $3, with few rows read: raw events for the broken buckets at both
-- ends, the 10 s tier up to whole half hours, the 30 min tier for those, and the 10 s tier again where the worker has
-- not been yet. The caller holds one snapshot, so that nothing moves between tiers.
-- $4, $5: the whole 10 s buckets inside. $6, $7: the whole half hours inside those. Both may be empty.
select (
    coalesce((select sum(cost) from event
               where town_id = $1 and kind = 0 and ts >= $2 and ts < $4), 0)
  + coalesce((select sum(cost) from event
               where town_id = $1 and kind = 0 and ts >= $5 and ts < $3), 0)
  + coalesce((select sum(cost_nanodollars) from headline_10s
               where town_id = $1 and bucket >= $4 and bucket < $6), 0)
  + coalesce((select sum(cost_nanodollars) from headline_10s
               where town_id = $1 and bucket >= $7 and bucket < $5), 0)
  + coalesce((select sum(cost_nanodollars) from headline_30m
               where town_id = $1 and bucket >= $6 and bucket < $7
                 and bucket not in (select bucket from rollup_dirty where town_id = $1)), 0)
  + coalesce((select sum(headline_10s.cost_nanodollars)
                from (select distinct bucket from rollup_dirty
                       where town_id = $1 and bucket >= $6 and bucket < $7) as dirty
                join headline_10s on headline_10s.town_id = $1
                 and headline_10s.bucket >= dirty.bucket
                 and headline_10s.bucket < dirty.bucket + interval '30 minutes'), 0)
)::bigint
