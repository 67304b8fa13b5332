-- Implied requests that are open here although the event that tells their end is stored: it may have come from another
-- source than their beginning.
update request r
set ended_at = greatest(c.ts, r.started_at), ok = true
from (select town_id, id, told_by from request
      where ended_at is null and lost_at is null and started_at is not null and told_by is not null
      order by town_id, started_at limit $1 for update skip locked) as open,
     lateral (select ts from claim where claim.town_id = open.town_id and claim.message = open.told_by limit 1) as c
where r.town_id = open.town_id and r.id = open.id
