-- Whoever has one of these beads on the hook has no hooked work any more. Rows that another writer holds are left out.
update agent as a
   set hook_closed = true
  from (select own.town_id, own.rig, own.name
          from unnest($1::integer[], $2::text[]) as closed(town_id, bead)
          join agent own on own.town_id = closed.town_id and own.hook_bead = closed.bead and not own.hook_closed
         for update of own skip locked) as hooked
 where a.town_id = hooked.town_id and a.rig = hooked.rig and a.name = hooked.name
