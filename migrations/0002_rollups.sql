-- Rollups: sums of events per bucket, one table per tier. `headline_*` has one row per bucket, so that a chart reads
-- one row per point; `by_role_*` splits cost and calls by role. The columns are model::Aggregate, in its order.
--
-- The 10 s tier is written in the transaction that writes the events. The coarser tiers are replaced from the next
-- finer one by the rollup worker, which finds its work in rollup_dirty. fillfactor leaves room for HOT updates: no
-- updated column is indexed.

create table headline_10s (
    town_id integer     not null,
    bucket  timestamptz not null,
    events                 bigint not null,
    calls                  bigint not null,
    call_errors            bigint not null,
    input_tokens           bigint not null,
    output_tokens          bigint not null,
    cache_read_tokens      bigint not null,
    cache_write_5m_tokens  bigint not null,
    cache_write_1h_tokens  bigint not null,
    cost_nanodollars       bigint not null,
    unpriced_tokens        bigint not null,
    tool_calls             bigint not null,
    tool_errors            bigint not null,
    lines_added            bigint not null,
    lines_removed          bigint not null,
    beads_created          bigint not null,
    beads_closed           bigint not null,
    primary key (town_id, bucket)
) with (fillfactor = 70);

create table by_role_10s (
    town_id integer     not null,
    bucket  timestamptz not null,
    role    smallint    not null,
    cost    bigint      not null,
    tokens  bigint      not null,
    calls   bigint      not null,
    events  bigint      not null,
    primary key (town_id, bucket, role)
) with (fillfactor = 70);

create table headline_1m (
    town_id integer     not null,
    bucket  timestamptz not null,
    events                 bigint not null,
    calls                  bigint not null,
    call_errors            bigint not null,
    input_tokens           bigint not null,
    output_tokens          bigint not null,
    cache_read_tokens      bigint not null,
    cache_write_5m_tokens  bigint not null,
    cache_write_1h_tokens  bigint not null,
    cost_nanodollars       bigint not null,
    unpriced_tokens        bigint not null,
    tool_calls             bigint not null,
    tool_errors            bigint not null,
    lines_added            bigint not null,
    lines_removed          bigint not null,
    beads_created          bigint not null,
    beads_closed           bigint not null,
    primary key (town_id, bucket)
) with (fillfactor = 70);

create table by_role_1m (
    town_id integer     not null,
    bucket  timestamptz not null,
    role    smallint    not null,
    cost    bigint      not null,
    tokens  bigint      not null,
    calls   bigint      not null,
    events  bigint      not null,
    primary key (town_id, bucket, role)
) with (fillfactor = 70);

create table headline_5m (
    town_id integer     not null,
    bucket  timestamptz not null,
    events                 bigint not null,
    calls                  bigint not null,
    call_errors            bigint not null,
    input_tokens           bigint not null,
    output_tokens          bigint not null,
    cache_read_tokens      bigint not null,
    cache_write_5m_tokens  bigint not null,
    cache_write_1h_tokens  bigint not null,
    cost_nanodollars       bigint not null,
    unpriced_tokens        bigint not null,
    tool_calls             bigint not null,
    tool_errors            bigint not null,
    lines_added            bigint not null,
    lines_removed          bigint not null,
    beads_created          bigint not null,
    beads_closed           bigint not null,
    primary key (town_id, bucket)
) with (fillfactor = 70);

create table by_role_5m (
    town_id integer     not null,
    bucket  timestamptz not null,
    role    smallint    not null,
    cost    bigint      not null,
    tokens  bigint      not null,
    calls   bigint      not null,
    events  bigint      not null,
    primary key (town_id, bucket, role)
) with (fillfactor = 70);

create table headline_30m (
    town_id integer     not null,
    bucket  timestamptz not null,
    events                 bigint not null,
    calls                  bigint not null,
    call_errors            bigint not null,
    input_tokens           bigint not null,
    output_tokens          bigint not null,
    cache_read_tokens      bigint not null,
    cache_write_5m_tokens  bigint not null,
    cache_write_1h_tokens  bigint not null,
    cost_nanodollars       bigint not null,
    unpriced_tokens        bigint not null,
    tool_calls             bigint not null,
    tool_errors            bigint not null,
    lines_added            bigint not null,
    lines_removed          bigint not null,
    beads_created          bigint not null,
    beads_closed           bigint not null,
    primary key (town_id, bucket)
) with (fillfactor = 70);

create table by_role_30m (
    town_id integer     not null,
    bucket  timestamptz not null,
    role    smallint    not null,
    cost    bigint      not null,
    tokens  bigint      not null,
    calls   bigint      not null,
    events  bigint      not null,
    primary key (town_id, bucket, role)
) with (fillfactor = 70);

create table headline_6h (
    town_id integer     not null,
    bucket  timestamptz not null,
    events                 bigint not null,
    calls                  bigint not null,
    call_errors            bigint not null,
    input_tokens           bigint not null,
    output_tokens          bigint not null,
    cache_read_tokens      bigint not null,
    cache_write_5m_tokens  bigint not null,
    cache_write_1h_tokens  bigint not null,
    cost_nanodollars       bigint not null,
    unpriced_tokens        bigint not null,
    tool_calls             bigint not null,
    tool_errors            bigint not null,
    lines_added            bigint not null,
    lines_removed          bigint not null,
    beads_created          bigint not null,
    beads_closed           bigint not null,
    primary key (town_id, bucket)
) with (fillfactor = 70);

create table by_role_6h (
    town_id integer     not null,
    bucket  timestamptz not null,
    role    smallint    not null,
    cost    bigint      not null,
    tokens  bigint      not null,
    calls   bigint      not null,
    events  bigint      not null,
    primary key (town_id, bucket, role)
) with (fillfactor = 70);

-- Who showed signs of work in which minute: how many activity events (Event::is_activity). Utilization is made of
-- this. The count lets a taken-back event take its presence back.
create table presence (
    town_id integer     not null,
    minute  timestamptz not null,
    rig     text        not null,
    agent   text        not null,
    n       bigint      not null,
    primary key (town_id, minute, rig, agent)
) with (fillfactor = 80);

-- Agent-seconds of work per bucket: an agent works in a minute if it has presence in that minute or in one of the two
-- before (WORKING_HOLD_S = 180). Made by the rollup worker from presence; coarser tiers are sums.

create table working_1m (
    town_id integer     not null,
    bucket  timestamptz not null,
    seconds bigint      not null,
    primary key (town_id, bucket)
) with (fillfactor = 70);

create table working_5m (
    town_id integer     not null,
    bucket  timestamptz not null,
    seconds bigint      not null,
    primary key (town_id, bucket)
) with (fillfactor = 70);

create table working_30m (
    town_id integer     not null,
    bucket  timestamptz not null,
    seconds bigint      not null,
    primary key (town_id, bucket)
) with (fillfactor = 70);

create table working_6h (
    town_id integer     not null,
    bucket  timestamptz not null,
    seconds bigint      not null,
    primary key (town_id, bucket)
) with (fillfactor = 70);

-- What the worker has to redo: spans of 30 minutes (`bucket`) in which the finest tier changed. Half hours, because a
-- live town changes one every second: redoing it reads 180 rows, and the 6 h tier is made of its neighbours' sums.
-- Append-only, so that writers never wait for the worker; written in the transaction that changed the finest tier.
create table rollup_dirty (
    town_id integer     not null,
    bucket  timestamptz not null,
    id      bigint      generated always as identity,
    primary key (town_id, bucket, id)
);

-- From when on each store is complete. Announced by one retention pass and dropped by a later one, so that no writer
-- that has not read it yet puts something below it. Events below the highest floor are refused: the tiers above it
-- could no longer be made from them. Days in UTC. No row: complete from the beginning.
create table retention (
    store        text        primary key,
    floor        timestamptz not null,
    announced_at timestamptz not null default now()
);
