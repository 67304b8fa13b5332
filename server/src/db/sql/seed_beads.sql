-- What counts is decided where beads are read; here they are only sorted into the cards' states.
select count(*) filter (where counted and status not in ('closed', 'tombstone', 'in_progress', 'hooked',
                                 'in_review', 'review', 'staged_ready', 'staged_warnings')) as open,
       count(*) filter (where counted and status in ('in_progress', 'hooked')) as in_progress,
       count(*) filter (where counted and status in ('in_review', 'review', 'staged_ready', 'staged_warnings')) as in_review,
       count(*) filter (where counted and status in ('closed', 'tombstone')) as closed,
       count(*) filter (where escalation and status not in ('closed', 'tombstone')) as escalations,
       count(*) filter (where counted and status = 'blocked') as blocked
  from bead
 where town_id = (select town_id from town where name = $1)
