-- Agents: the roster (model::roster::AgentRow). `rig` is '' for agents of the whole town.
create table agent (
    town_id    integer     not null,
    rig        text        not null,
    name       text        not null,
    role       smallint    not null,
    session    text,
    bead       text,
    said       smallint,
    said_at    timestamptz,
    worked_at  timestamptz,
    first_seen timestamptz not null,
    last_seen  timestamptz not null,
    primary key (town_id, rig, name)
) with (fillfactor = 70);

-- Sessions: what is known of a conversation. Attribution may come from elsewhere (Gas Town's costs.jsonl names the
-- role, rig and worker of a session) and then completes later events of that session.
create table session (
    town_id    integer     not null,
    session    text        not null,
    source     text        not null,
    rig        text,
    role       smallint    not null,
    agent      text,
    bead       text,
    -- running total that the session reported, nanodollars, resets added up; never counted as cost
    reported   bigint,
    -- the newest total and its time: a drop means that the session counts anew
    reported_last bigint,
    reported_at   timestamptz,
    first_seen timestamptz not null,
    last_seen  timestamptz not null,
    ended_at   timestamptz,
    primary key (town_id, session)
) with (fillfactor = 70);

-- Beads as last read; what velocity counts are events.
create table bead (
    town_id    integer     not null,
    bead       text        not null,
    title      text        not null default '',
    status     text        not null,
    issue_type text        not null,
    priority   smallint,
    assignee   text,
    created_at timestamptz not null,
    closed_at  timestamptz,
    updated_at timestamptz,
    -- counted in velocity and on the cards (FORMATS: no agents, messages, gates, wisps, templates …)
    counted    boolean     not null,
    escalation boolean     not null default false,
    primary key (town_id, bead)
);

-- The balance ledger, append-only: what was filled in and corrected. The meter is its sum less the cost of events
-- since the first entry.
create table ledger (
    town_id   integer     not null,
    entry_id  bigint      generated always as identity,
    ts        timestamptz not null,
    -- 'topup' or 'correction'
    kind      text        not null check (kind in ('topup', 'correction')),
    amount    bigint      not null,
    note      text        not null default '',
    -- a retried request fills in once
    request   uuid        not null,
    primary key (town_id, entry_id),
    constraint ledger_request_once unique (town_id, request)
);

-- The price book, append-only, in picodollars per token. A new price is a new row with a later `effective`.
create table price (
    price_id       integer     generated always as identity primary key,
    model          text        not null,
    effective      timestamptz not null,
    input          bigint      not null check (input >= 0),
    output         bigint      not null check (output >= 0),
    cache_read     bigint      not null check (cache_read >= 0),
    cache_write_5m bigint      not null check (cache_write_5m >= 0),
    cache_write_1h bigint      not null check (cache_write_1h >= 0),
    -- higher prices above a number of tokens: rule 'marginal_per_kind' or 'whole_request'
    tier_above          bigint,
    tier_rule           text check (tier_rule in ('marginal_per_kind', 'whole_request')),
    tier_input          bigint,
    tier_output         bigint,
    tier_cache_read     bigint,
    tier_cache_write_5m bigint,
    tier_cache_write_1h bigint,
    fast_percent   integer     not null default 100,
    -- where the figures come from, and when they were noted
    source         text        not null,
    noted          date        not null,
    constraint price_once unique (model, effective, source, noted)
);

-- Sources: one row per town and source, counted in the transaction that stores.
-- received = stored + duplicate + rejected, always.
create table source (
    town_id    integer     not null,
    source     text        not null,
    received   bigint      not null default 0,
    stored     bigint      not null default 0,
    duplicate  bigint      not null default 0,
    rejected   bigint      not null default 0,
    last_event timestamptz,
    last_heard timestamptz,
    primary key (town_id, source),
    constraint source_identity check (received = stored + duplicate + rejected)
) with (fillfactor = 70);

-- The newest rejected items of a source, for the owner to see what is wrong. `excerpt` never holds message texts.
create table rejection (
    town_id integer     not null,
    source  text        not null,
    id      bigint      generated always as identity,
    ts      timestamptz not null,
    place   text        not null,
    reason  text        not null,
    primary key (town_id, source, id)
);

-- How far a file was read. `head` is a hash of the file's first bytes: another head is another file (rotation).
create table cursor (
    town_id  integer     not null,
    source   text        not null,
    path     text        not null,
    head     bigint      not null,
    position bigint      not null,
    lines    bigint      not null default 0,
    -- what the reader must remember between reads (open tool calls), as its source defines
    memory   text,
    read_at  timestamptz not null default now(),
    primary key (town_id, source, path)
);

-- When a town was being observed: a bucket without a row is zero inside, and a gap outside.
create table coverage (
    town_id integer     not null,
    from_ts timestamptz not null,
    to_ts   timestamptz not null,
    primary key (town_id, from_ts)
);

-- Keys for everything that is not loopback. Only the hash is kept.
create table api_key (
    key_id     integer     generated always as identity primary key,
    name       text        not null,
    hash       bytea       not null unique,
    -- 'ingest', 'read' or 'admin'
    scope      text        not null check (scope in ('ingest', 'read', 'admin')),
    created_at timestamptz not null default now(),
    last_used  timestamptz,
    revoked_at timestamptz
);
