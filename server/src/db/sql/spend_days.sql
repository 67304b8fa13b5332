-- The days in UTC of each town that have events or sums of calls from $1 on, and whether a part of one is still being summed.
select town_id, day, exists (
    select from spend_rebuild r
    where r.town_id = days.town_id and r.bucket >= days.day and r.bucket < days.day + interval '1 day'
)
from (
    select town_id, date_bin(interval '1 day', bucket, 'epoch'::timestamptz) as day from headline_6h where bucket >= $1
    union
    select town_id, bucket from spend_day where bucket >= $1
    union
    select town_id, bucket from account_day where bucket >= $1
    union
    select town_id, date_bin(interval '1 day', bucket, 'epoch'::timestamptz) from spend_15m where bucket >= $1
) as days
order by 1, 2
