insert into rejection (town_id, source, ts, place, reason)
select town_id, source, now(), place, reason
from unnest($1::integer[], $2::text[], $3::text[], $4::text[]) as n(town_id, source, place, reason)
