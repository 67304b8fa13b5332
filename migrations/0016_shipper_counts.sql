-- What came of the items that each machine shipped, as it was answered: new, known before, and refused. `counted_from`
-- is when this began: for machines that were heard before this migration, what they sent earlier is in no count of theirs.
-- `dropped`: what the machine put aside because we refused it, and then removed because more was refused than it keeps.
alter table shipper
    add column stored       bigint      not null default 0,
    add column duplicate    bigint      not null default 0,
    add column rejected     bigint      not null default 0,
    add column dropped      bigint      not null default 0,
    add column counted_from timestamptz not null default now();
