-- by claim_by_request: its predicate is repeated, so that the planner finds it
select c.town_id, c.message, c.request, c.ts, c.key, c.sidechain, c.tokens, c.has_speed, c.origin, c.reported, c.basis
from unnest($1::integer[], $2::uuid[]) as wanted(town_id, request)
join claim c on c.town_id = wanted.town_id and c.request = wanted.request
where c.basis = 0 and c.request <> '00000000-0000-0000-0000-000000000000'
