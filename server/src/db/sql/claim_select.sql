-- by the leading columns of the primary key
select c.town_id, c.message, c.request, c.ts, c.key, c.sidechain, c.tokens, c.has_speed, c.origin, c.reported, c.basis
from unnest($1::integer[], $2::uuid[]) as wanted(town_id, message)
join claim c on c.town_id = wanted.town_id and c.message = wanted.message
