-- Exports of several ages may be read in any order: the one updated last counts. What is the same is not touched, so
-- that the number of rows says whether anything changed.
insert into bead (town_id, bead, title, status, issue_type, priority, assignee, created_at, closed_at, updated_at,
                  counted, escalation)
select $1, bead, title, status, issue_type, priority, assignee, created_at, closed_at, updated_at, counted, escalation
from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::smallint[], $7::text[], $8::timestamptz[],
            $9::timestamptz[], $10::timestamptz[], $11::boolean[], $12::boolean[])
    as given (bead, title, status, issue_type, priority, assignee, created_at, closed_at, updated_at, counted,
              escalation)
order by bead
on conflict (town_id, bead) do update
set title = excluded.title, status = excluded.status, issue_type = excluded.issue_type, priority = excluded.priority,
    assignee = excluded.assignee, created_at = excluded.created_at, closed_at = excluded.closed_at,
    updated_at = excluded.updated_at, counted = excluded.counted, escalation = excluded.escalation
where coalesce(excluded.updated_at, excluded.created_at) >= coalesce(bead.updated_at, bead.created_at)
  and (bead.title, bead.status, bead.issue_type, bead.priority, bead.assignee, bead.created_at, bead.closed_at,
       bead.updated_at, bead.counted, bead.escalation)
      is distinct from
      (excluded.title, excluded.status, excluded.issue_type, excluded.priority, excluded.assignee, excluded.created_at,
       excluded.closed_at, excluded.updated_at, excluded.counted, excluded.escalation)
