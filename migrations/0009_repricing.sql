-- Prices may be added more than once a day: a correction of this morning's price says the same model, date and source.
-- Of rows with the same model and date the last one counts, as before.
alter table price add column revision integer not null default 0;
alter table price drop constraint price_once;
alter table price add constraint price_once unique (model, effective, source, noted, revision);

-- Model calls without a price, summed where batches are folded: per model and six hours, so that retention can drop
-- what it drops of the events, and so that a page never has to look through events for them. `first_seen` and
-- `last_seen` are not moved back when a call is taken back; the row goes when none is left.
create table unpriced (
    town_id               integer     not null,
    model                 text        not null,
    bucket                timestamptz not null,
    calls                 bigint      not null,
    input_tokens          bigint      not null,
    output_tokens         bigint      not null,
    cache_read_tokens     bigint      not null,
    cache_write_5m_tokens bigint      not null,
    cache_write_1h_tokens bigint      not null,
    first_seen            timestamptz not null,
    last_seen             timestamptz not null,
    primary key (town_id, model, bucket)
) with (fillfactor = 70);

insert into unpriced
select town_id, model, date_bin(interval '6 hours', ts, 'epoch'::timestamptz), count(*), sum(input_tokens),
       sum(output_tokens), sum(cache_read_tokens), sum(cache_write_5m_tokens), sum(cache_write_1h_tokens),
       min(ts), max(ts)
from event
where kind = 0 and cost is null
group by 1, 2, 3;

-- Which stored calls are sums of several (Basis::Metric, 4): they are priced at base rates, and repricing has to know
-- them by their place. Other claims pay nothing for it.
create index claim_of_sums on claim (town_id, ts, key) where basis = 4;

-- Repricing, as jobs that survive a crash: the worker goes through a town's events in small transactions, and each one
-- carries the row on with it. What it did is what it is marked on charts with.
create table reprice (
    town_id      integer     not null,
    job_id       integer     generated always as identity,
    -- from_ts <= ts < to_ts; model: only calls with this entry of the price book, null: all
    from_ts      timestamptz not null,
    to_ts        timestamptz not null,
    model        text,
    created_at   timestamptz not null default now(),
    finished_at  timestamptz,
    -- why it was given up
    failed       text,
    -- everything up to this place is done
    cursor_ts    timestamptz not null,
    cursor_key   uuid        not null,
    -- what lies below was dropped by retention, or soon will be: it keeps its cost
    floor        timestamptz,
    -- model calls; of all that were looked at: what they cost before and after, in nanodollars, and how many have no
    -- price still
    looked       bigint      not null default 0,
    changed      bigint      not null default 0,
    cost_before  bigint      not null default 0,
    cost_after   bigint      not null default 0,
    unpriced     bigint      not null default 0,
    -- times of the first and the last call that changed
    changed_from timestamptz,
    changed_to   timestamptz,
    primary key (town_id, job_id)
);

-- The worker's list: usually empty.
create index reprice_pending on reprice (town_id, job_id) where finished_at is null;
