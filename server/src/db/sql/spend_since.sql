-- the first quarter of an hour with calls: one row of each key
select least((select min(bucket) from spend_15m where town_id = $1), (select min(bucket) from spend_part where town_id = $1))
