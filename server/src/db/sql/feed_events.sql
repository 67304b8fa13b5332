-- Events of one day by time and a range of keys around the half of it that is known: one index entry each. One by one
-- (`offset 0`): joined freely, a planner without statistics reads the whole day.
select {columns}
from unnest($2::timestamptz[], $3::uuid[], $4::uuid[]) as spot(ts, low, high)
cross join lateral (
    select * from {table} t
    where t.town_id = $1 and t.ts = spot.ts and t.key >= spot.low and t.key <= spot.high
    offset 0
) as e
