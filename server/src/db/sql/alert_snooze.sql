-- Silences the subject of an episode, in the state in which it is; no row when the episode has ended.
with snoozed as (
    insert into alert_snooze (town_id, subject, covers, until)
    select town_id, subject, state, $3 from alert where town_id = $1 and alert_id = $2
    on conflict (town_id, subject) do update set covers = excluded.covers, until = excluded.until
    returning subject
)
select subject from snoozed
