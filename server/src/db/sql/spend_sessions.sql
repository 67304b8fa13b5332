-- what is known of some conversations of town $1, by the primary key
select session, role, rig, agent, bead, first_seen, last_seen from session where town_id = $1 and session = any($2)
