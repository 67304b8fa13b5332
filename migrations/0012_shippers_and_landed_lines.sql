-- Machines that ship their events here. `shipper` is made with a sender's state folder, and numbers of batches are its
-- own: what has no identity by itself (bad lines, which are only counted) is taken once, by the number of the last batch.
create table shipper (
    town_id       integer     not null,
    shipper       uuid        not null,
    -- what its owner calls it, and the kind of machine; nothing else of it is known here
    name          text        not null,
    host          text        not null,
    version       text        not null,
    last_batch    bigint      not null,
    first_heard   timestamptz not null,
    last_heard    timestamptz not null,
    -- what waits on its disk, since when, and what it put aside because we refused it
    waiting_bytes bigint      not null,
    oldest        timestamptz,
    parked        bigint      not null,
    -- what went wrong there before this was heard
    trouble       text,
    primary key (town_id, shipper)
) with (fillfactor = 70);

-- Lines that commits brought to a default branch, apart from the lines that agents edit: a line that is edited and later
-- committed is in both, so they are never added up. No history has any yet, so zero is exact.
alter table headline_10s
    add column lines_landed_added   bigint not null default 0,
    add column lines_landed_removed bigint not null default 0;
alter table headline_1m
    add column lines_landed_added   bigint not null default 0,
    add column lines_landed_removed bigint not null default 0;
alter table headline_5m
    add column lines_landed_added   bigint not null default 0,
    add column lines_landed_removed bigint not null default 0;
alter table headline_30m
    add column lines_landed_added   bigint not null default 0,
    add column lines_landed_removed bigint not null default 0;
alter table headline_6h
    add column lines_landed_added   bigint not null default 0,
    add column lines_landed_removed bigint not null default 0;
