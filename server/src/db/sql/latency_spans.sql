-- The six hours of each town that have calls or sums of them from $1 on, and whether their sketches are still being made.
select town_id, bucket, exists (
    select from latency_rebuild r where r.town_id = spans.town_id and r.bucket = spans.bucket
)
from (
    select town_id, bucket from headline_6h where bucket >= $1
    union
    select town_id, bucket from latency_6h where bucket >= $1
    union
    select town_id, date_bin(interval '6 hours', bucket, 'epoch'::timestamptz) from latency_10s where bucket >= $1
) as spans
order by 1, 2
