-- conversations by primary key
select s.session, s.source, s.first_seen, s.last_seen, s.ended_at, s.bead
from unnest($2::text[]) as wanted(session)
join session s on s.town_id = $1 and s.session = wanted.session
