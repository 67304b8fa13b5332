-- One row per bucket, straight from the primary key: at most one row is read per point drawn.
select bucket, {columns}
  from headline_{tier}
 where town_id = $1 and bucket >= $2 and bucket < $3
 order by bucket
 limit 2000
