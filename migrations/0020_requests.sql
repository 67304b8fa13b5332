-- Requests from their start to their end (model::request): what is in flight, and what was, so that it can be drawn.
--
-- Explicit ones are events too (kind 8: state 0 started, 1 ended, 2 lost), and this table follows from them in the same
-- transaction. Others are only implied: a transcript's tool without a result. Of those only what is young enough to be in
-- flight has a row: reading the past makes none. Kept for eight days, and at most so many per town (db::request::trim).
create table request (
    town_id    integer     not null,
    -- model::request::RequestId
    id         uuid        not null,
    -- null: so far only its end was told
    started_at timestamptz,
    ended_at   timestamptz,
    -- whether it ended well
    ok         boolean,
    -- when its time was over; an end that comes later counts all the same
    lost_at    timestamptz,
    -- of an implied one: the claim (claim.message) of the event that tells its end
    told_by    uuid,
    source     text        not null,
    role       smallint    not null,
    rig        text,
    agent      text,
    session    text,
    bead       text,
    model      text,
    tool       text,
    -- its place in time
    at         timestamptz not null generated always as (coalesce(started_at, ended_at, lost_at)) stored,
    primary key (town_id, id)
) with (fillfactor = 70);

-- What may be in flight: few, whatever was before.
create index request_open on request (town_id, started_at)
    where ended_at is null and lost_at is null and started_at is not null;

-- How many were in flight over time is answered from this index alone.
create index request_span on request (town_id, at) include (started_at, ended_at, lost_at);

-- Towns with so many requests that not even eight days of them are kept: since when they all are.
create table request_kept (
    town_id integer     primary key,
    since   timestamptz not null
);

-- What a line of a log says (kind 9: state 0 info, 1 warn, 2 error; tool: what part of which program). The thirtieth
-- column: a row's null bitmap has room for 32, so that the other kinds take no byte more.
alter table event add column message text;
