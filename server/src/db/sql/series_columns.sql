-- The points of a chart as columns, when the town was observed, and how far back the tier reaches, in one row: on the wire and in decoding, a row costs
-- many times what a place in an array does.
with observed as materialized (
    select from_ts, to_ts
      from coverage
     where town_id = $1 and from_ts < $3 and to_ts >= $2
     limit 10000
), point as (
{points}
)
select (select array_agg(from_ts) from observed), (select array_agg(to_ts) from observed),
       (select floor from retention where store = '{tier}'), array_agg(bucket){arrays}
  from point
