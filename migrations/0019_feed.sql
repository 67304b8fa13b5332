-- In which order each town's events were committed: what a stream of them goes by, so that whoever was away goes on where
-- it stopped, without loss or repetition, although events come late and out of order. The time of an event cannot tell.
--
-- Each transaction that brings a town new events, or takes some back for good, takes the town's next number; the row stays
-- locked until its commit. So a number is seen only when all lower ones are, and there is nothing to wait for or to look
-- behind. Writers of the same source wait for one another at that point anyway, for its row in `source`. What is only told
-- again (a late attribution, a new price) has no number: it is no new event.
create table feed (
    town_id integer primary key,
    seq     bigint  not null
) with (fillfactor = 50);

-- What each number stands for: about 11 bytes an event, so that `event` needs neither another column nor another index.
-- Kept for a day (db::feed::prune).
create table change (
    town_id  integer     not null,
    seq      bigint      not null,
    noted_at timestamptz not null default now(),
    -- how many events are in `gone` and `added` together
    entries  integer     not null,
    -- events that were replaced by a better report: model::wire::RowKey, eight bytes each
    gone     bytea       not null,
    -- new events by time and key: the microseconds since the one before, and the key's first eight bytes (db::feed::packed)
    added    bytea       not null,
    primary key (town_id, seq)
);

-- Hashes do not compress.
alter table change alter column gone set storage external;
alter table change alter column added set storage external;
