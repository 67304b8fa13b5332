-- Every model that the calls of town $1 name; what waits for the worker may name more.
select model from spend_model where town_id = $1
union
select model from spend_part where town_id = $1
limit 10000
