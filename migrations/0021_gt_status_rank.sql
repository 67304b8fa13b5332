-- `gt status` ranks by itself, below agents' beads and above their terminals (model::evidence): what it says and since when
-- is kept apart, because a later word of it must not hide what a bead says that is still fresh. What it said until now
-- stands in `recorded`, where nobody can tell it from a bead's word; the next word of either takes its place.
-- `gt_status` is AgentState by position, as `recorded` is.
alter table agent
    add column gt_status    smallint,
    add column gt_status_at timestamptz;
