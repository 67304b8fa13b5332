-- Those who are still around, the ones seen last first.
select rig, name, role, session, bead, said, said_at, worked_at, first_seen, last_seen
  from agent
 where town_id = $1 and last_seen > $2
 order by last_seen desc
 limit $3
