-- received = stored + duplicate + rejected, always
insert into source as s (town_id, source, received, stored, duplicate, rejected, last_event, last_heard)
select town_id, source, stored + duplicate + rejected, stored, duplicate, rejected, last_event, now()
from unnest($1::integer[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::timestamptz[])
     as n(town_id, source, stored, duplicate, rejected, last_event)
on conflict (town_id, source) do update set
    received = s.received + excluded.received,
    stored = s.stored + excluded.stored,
    duplicate = s.duplicate + excluded.duplicate,
    rejected = s.rejected + excluded.rejected,
    last_event = greatest(s.last_event, excluded.last_event),
    last_heard = excluded.last_heard
