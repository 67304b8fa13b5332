-- What model calls cost, by everything that costs are asked for: role, rig, agent, model, bead, conversation and where the
-- amounts come from (model::cost). Unknown names are '' here, so that keys compare; no name is empty.
--
-- Writers only append: each transaction that stores or takes back calls adds a row per quarter of an hour and spender, with
-- negative sums for what is taken back, so that writers never wait for one another here. The worker takes these rows away
-- and adds them to the tiers below, in one transaction: what was spent is always the tiers and the rows that wait. A
-- quarter, because the day of every time zone begins on one.
create table spend_part (
    town_id    integer     not null,
    bucket     timestamptz not null,
    part       bigint      generated always as identity,
    role       smallint    not null,
    rig        text        not null,
    agent      text        not null,
    model      text        not null,
    bead       text        not null,
    session    text        not null,
    provenance smallint    not null,
    -- model::cost::SpendSum, in its order
    calls                 bigint not null,
    input_tokens          bigint not null,
    output_tokens         bigint not null,
    cache_read_tokens     bigint not null,
    cache_write_5m_tokens bigint not null,
    cache_write_1h_tokens bigint not null,
    cost                  bigint not null,
    unpriced_tokens       bigint not null,
    primary key (town_id, bucket, part)
);

-- Whole spenders, per quarter of an hour and per day in UTC. `spender` is a hash of the seven columns behind it: the names
-- stand in each row, because joining and grouping by them costs less than looking them up, and a hash keeps the key short.
create table spend_15m (
    town_id    integer     not null,
    bucket     timestamptz not null,
    spender    uuid        not null,
    role       smallint    not null,
    rig        text        not null,
    agent      text        not null,
    model      text        not null,
    bead       text        not null,
    session    text        not null,
    provenance smallint    not null,
    calls                 bigint not null,
    input_tokens          bigint not null,
    output_tokens         bigint not null,
    cache_read_tokens     bigint not null,
    cache_write_5m_tokens bigint not null,
    cache_write_1h_tokens bigint not null,
    cost                  bigint not null,
    unpriced_tokens       bigint not null,
    primary key (town_id, bucket, spender)
) with (fillfactor = 80);

create table spend_day (like spend_15m including all) with (fillfactor = 80);

-- The same without bead and conversation, which are '' here: far fewer rows, for all that does not ask for them. Hours and
-- quarters of a day besides days, because a day in most time zones is made of parts of two in UTC.
create table account_1h (like spend_15m including all) with (fillfactor = 80);
create table account_6h (like spend_15m including all) with (fillfactor = 80);
create table account_day (like spend_15m including all) with (fillfactor = 80);

-- One conversation's spending, whenever it was.
create index spend_15m_by_session on spend_15m (town_id, session, bucket);
create index spend_day_by_session on spend_day (town_id, session, bucket);

-- Every model that calls name: who makes it is told by its name, and by no query. A model that is not called any more stays.
create table spend_model (
    town_id integer not null,
    model   text    not null,
    primary key (town_id, model)
);

-- Spans of 6 hours with calls from before there were these tiers: the worker adds what their events say and is not summed
-- yet, span by span, newest first. It may be interrupted, and runs beside writers (db::spend::rebuild).
create table spend_rebuild (
    town_id integer     not null,
    bucket  timestamptz not null,
    primary key (town_id, bucket)
);

insert into spend_rebuild
select town_id, bucket from headline_6h
union
select town_id, date_bin(interval '6 hours', bucket, 'epoch'::timestamptz) from rollup_dirty;
