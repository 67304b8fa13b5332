-- attribution of sessions, by primary key
select s.town_id, s.session, s.rig, s.role, s.agent
from unnest($1::integer[], $2::text[]) as wanted(town_id, session)
join session s on s.town_id = wanted.town_id and s.session = wanted.session
