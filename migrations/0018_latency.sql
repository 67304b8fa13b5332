-- How long calls and tools take: per bucket and tool (kind 1) or model (kind 0, as in `event`) the calls, the failed
-- ones, and a sketch of those whose duration is known (model::latency::Sketch::to_bytes: counts per bin, at most 2 % wide).
-- From it every percentile is read to 1 %, over 5 minutes as over a day, without looking at events.
--
-- The finest tier is append-only: each transaction that stores events adds a row of its own, with negative counts for what
-- it takes back, so that writers never wait for one another here. Rows of the same bucket, kind and name are parts of one
-- sum; the worker joins them within seconds. There is no 1 min tier: on most machines it would have as many rows as this.
create table latency_10s (
    town_id  integer     not null,
    bucket   timestamptz not null,
    part     bigint      generated always as identity,
    kind     smallint    not null,
    name     text        not null,
    calls    bigint      not null,
    errors   bigint      not null,
    total_us bigint      not null,
    sketch   bytea       not null,
    primary key (town_id, bucket, part)
);

-- The coarser tiers are replaced from the next finer one by the rollup worker, which alone writes them.
create table latency_5m (
    town_id  integer     not null,
    bucket   timestamptz not null,
    kind     smallint    not null,
    name     text        not null,
    calls    bigint      not null,
    errors   bigint      not null,
    total_us bigint      not null,
    sketch   bytea       not null,
    primary key (town_id, bucket, kind, name)
) with (fillfactor = 70);

create table latency_30m (
    town_id  integer     not null,
    bucket   timestamptz not null,
    kind     smallint    not null,
    name     text        not null,
    calls    bigint      not null,
    errors   bigint      not null,
    total_us bigint      not null,
    sketch   bytea       not null,
    primary key (town_id, bucket, kind, name)
) with (fillfactor = 70);

create table latency_6h (
    town_id  integer     not null,
    bucket   timestamptz not null,
    kind     smallint    not null,
    name     text        not null,
    calls    bigint      not null,
    errors   bigint      not null,
    total_us bigint      not null,
    sketch   bytea       not null,
    primary key (town_id, bucket, kind, name)
) with (fillfactor = 70);

-- Spans of 5 minutes (`bucket`) in which the finest tier changed: the worker's list, as rollup_dirty is for the other
-- tiers, and append-only for the same reason. Finer, because joining sketches costs more than adding numbers.
create table latency_dirty (
    town_id integer     not null,
    bucket  timestamptz not null,
    id      bigint      generated always as identity,
    primary key (town_id, bucket, id)
);

-- Spans of 6 hours with events from before there were sketches: the worker adds what their events say and is not in the
-- finest tier yet, span by span, newest first. It may be interrupted, and runs beside writers (db::latency::rebuild).
create table latency_rebuild (
    town_id integer     not null,
    bucket  timestamptz not null,
    primary key (town_id, bucket)
);

insert into latency_rebuild
select town_id, bucket from headline_6h
union
select town_id, date_bin(interval '6 hours', bucket, 'epoch'::timestamptz) from rollup_dirty;
