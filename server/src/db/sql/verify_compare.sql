-- One table against its fold, from $1 on; `{…}` is filled in by db::verify. Spans with a marker are left out: the
-- worker had not redone them when this snapshot was taken.
with stored as (
    select town_id, {time} as bucket, {part} as part, array[{values}]::bigint[] as measures
    from {table} where {time} >= $1
), expected as (
    select town_id, date_bin({step}, {time}, 'epoch'::timestamptz) as bucket, {part} as part,
           array[{sums}]::bigint[] as measures
    from {fold} where {time} >= $1
    group by 1, 2, 3
), both_sides as (
    select town_id, bucket, part, stored.measures as stored, expected.measures as expected
    from stored full join expected using (town_id, bucket, part)
), settled as (
    select * from both_sides b
    where not {has_markers} or not exists (
        select from fold_pending p
        where p.town_id = b.town_id
          and date_bin({redone}, p.bucket, 'epoch'::timestamptz) = date_bin({redone}, b.bucket, 'epoch'::timestamptz)
    )
)
select count(*) over () as compared,
       count(*) filter (where stored is distinct from expected) over () as different,
       town_id, bucket, part, stored::text, expected::text, stored is distinct from expected as differs
from settled
order by differs desc, town_id, bucket, part
limit 20
