-- What a report knows of its call (model::dedupe::Basis, by position). Everything from before is from transcripts.
alter table claim add column basis smallint not null default 0;

-- OpenTelemetry knows only the request: so a transcript's call is found by it. Calls without one have no place here.
create index claim_by_request on claim (town_id, request)
    where basis = 0 and request <> '00000000-0000-0000-0000-000000000000';

-- What sources sent and nobody understood: counted per name, never kept. Names are bounded per source (db::unmapped).
create table unmapped (
    town_id   integer     not null,
    source    text        not null,
    name      text        not null,
    count     bigint      not null,
    last_seen timestamptz not null,
    primary key (town_id, source, name)
) with (fillfactor = 70);
