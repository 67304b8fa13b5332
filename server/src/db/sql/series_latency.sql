-- The sketches of the tools' calls of town $1 from $2 to before $3, as columns in one row, with when the town was observed,
-- how far back the tier reaches, and the spans of 6 hours whose sketches are still being made: there nothing is known yet.
-- As many rows per bucket as tools that ran in it, newest first: of more than fit, the oldest are left out, and who reads
-- this takes a coarser tier.
with observed as materialized (
    select from_ts, to_ts
      from coverage
     where town_id = $1 and from_ts < $3 and to_ts >= $2
     limit 10000
), waiting as materialized (
    select bucket
      from latency_rebuild
     where town_id = $1 and bucket > $2 - interval '6 hours' and bucket < $3
     limit 3000
), point as materialized (
    select bucket, sketch
      from latency_{tier}
     where town_id = $1 and bucket >= $2 and bucket < $3 and kind = 1{whose}
     order by bucket desc
     limit {most}
)
select (select array_agg(from_ts) from observed), (select array_agg(to_ts) from observed),
       (select floor from retention where store = '{tier}'), (select array_agg(bucket) from waiting),
       array_agg(bucket), array_agg(sketch)
  from point
