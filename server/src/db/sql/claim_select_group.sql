-- what has to go when a group is reported by something better: metrics (4) below level 1, events (3) below level 2
select c.town_id, c.message, c.request, c.ts, c.key, c.sidechain, c.tokens, c.has_speed, c.origin, c.reported, c.basis
from unnest($1::integer[], $2::uuid[], $3::bigint[]) as wanted(town_id, message, level)
join claim c on c.town_id = wanted.town_id and c.message = wanted.message
where (c.basis = 4 and wanted.level > 0) or (c.basis = 3 and wanted.level > 1)
