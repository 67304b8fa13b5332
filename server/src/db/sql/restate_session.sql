-- what is known of a session, and from when on its events may be told again: below the retention floor the tiers could
-- no longer follow
select town.name as town, s.rig, s.role, s.agent, s.lacks_agent, s.lacks_role, s.lacks_rig, s.last_seen,
       greatest(s.first_seen, (select max(floor) from retention)) as since
from session s
join town on town.town_id = s.town_id
where s.town_id = $1 and s.session = $2
-- before the roster's rows, as fold.sql takes them: a batch without claims does not wait for the claims' lock
for update of s
