-- Those who are still around, the ones seen last first. A bead that its tracker has closed is no hooked work.
select rig, name, role, session, bead, said, said_at, recorded, recorded_at, gt_status, gt_status_at, terminal_at, worked_at,
       first_seen, last_seen, progressed_at, hook_bead, hook_state, hook_since, hook_at,
       hook_closed or exists (select from bead b
                               where b.town_id = a.town_id and b.bead = a.hook_bead and b.closed_at is not null)
           as hook_closed
  from agent a
 where town_id = $1 and last_seen > $2
 order by last_seen desc
 limit $3
