-- what trackers told of some beads of town $1, by the primary key
select bead, title, status, created_at, closed_at, counted from bead where town_id = $1 and bead = any($2)
