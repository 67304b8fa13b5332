-- Towns. The number stands in every key, so that the tables can be distributed by town.
create table town (
    town_id    integer generated always as identity primary key,
    name       text not null unique,
    -- the made-up town is marked on every page
    demo       boolean not null default false,
    -- what counts as a full tank, in nanodollars; null: the balance right after the last top-up
    capacity   bigint,
    created_at timestamptz not null default now()
);

-- Events, one row each, exactly once. The primary key is ordered by time, so inserts go to its right edge, and a
-- repeated event meets itself there. Partitions are days in UTC: made ahead, dropped behind (retention), and made on
-- demand for history. There is no other index: one more b-tree costs a third of the ingest rate, and even brin(ts) costs
-- 6 % while the day partitions and the key answer what it would.
--
-- Nullable columns are those that a kind does not have. Kinds, roles and provenances are numbers whose meaning is
-- fixed in crate model (EventKind, Role, Provenance); they never change.
create table event (
    town_id               integer     not null,
    ts                    timestamptz not null,
    key                   uuid        not null,
    kind                  smallint    not null,
    role                  smallint    not null,
    source                text        not null,
    rig                   text,
    agent                 text,
    session               text,
    bead                  text,
    model                 text,
    tool                  text,
    -- AgentState, SessionEdge or BeadEdge by position
    state                 smallint,
    ok                    boolean,
    fast                  boolean,
    input_tokens          bigint,
    output_tokens         bigint,
    cache_read_tokens     bigint,
    cache_write_5m_tokens bigint,
    cache_write_1h_tokens bigint,
    -- nanodollars; null: unpriced. For cost snapshots `reported` holds the running total and cost stays null.
    cost                  bigint,
    reported              bigint,
    provenance            smallint,
    price_id              integer,
    duration_us           bigint,
    lines_added           integer,
    lines_removed         integer,
    -- file, relative to the project
    file                  text,
    primary key (town_id, ts, key)
) partition by range (ts);

-- The global identity of calls that may be reported several times, with differing times or by several sources
-- (model::dedupe). Only such events pay for this table.
create table claim (
    town_id   integer     not null,
    message   uuid        not null,
    request   uuid        not null,
    -- where the winning report is stored
    ts        timestamptz not null,
    key       uuid        not null,
    -- Rank
    sidechain boolean     not null,
    tokens    bigint      not null,
    has_speed boolean     not null,
    origin    bigint      not null,
    reported  timestamptz not null,
    primary key (town_id, message, request)
);
