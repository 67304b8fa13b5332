-- Machines that a town runs on, and what they used: coarse numbers, and nothing else of a machine.
create table host (
    town_id      integer     not null,
    name         text        not null,
    -- The process that reads this machine. While it is heard, no other writes here: one sampler per host.
    writer       uuid        not null,
    pid          integer,
    first_heard  timestamptz not null,
    last_heard   timestamptz not null,
    -- The newest reading: percentages in tenths, all else in bytes. Null is not available.
    cpu          smallint,
    memory_used  bigint,
    memory_total bigint,
    has_gpu      boolean     not null,
    gpu          smallint,
    vram_used    bigint,
    vram_total   bigint,
    disk_used    bigint,
    disk_total   bigint,
    -- A server whose viewers look asks here for readings every so many seconds until then.
    wanted_s     smallint,
    wanted_until timestamptz,
    primary key (town_id, name)
) with (fillfactor = 70);

-- Means over steps of 15 s, which are kept for hours, and of 60 s, which are kept for eight days: the windows of the
-- Machine page in at most 360 points, at a few megabytes per host.
create table host_mean (
    town_id      integer     not null,
    name         text        not null,
    step_s       smallint    not null,
    at           timestamptz not null,
    cpu          smallint,
    memory_used  bigint,
    memory_total bigint,
    has_gpu      boolean     not null,
    gpu          smallint,
    vram_used    bigint,
    vram_total   bigint,
    disk_used    bigint,
    disk_total   bigint,
    primary key (town_id, name, step_s, at)
);
-- Old rows are found without reading what is kept.
create index host_mean_age on host_mean (step_s, at);
