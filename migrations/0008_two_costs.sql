-- What a call costs by the price book, even where the agent's own figure (`reported`) is the one that counts: both are
-- kept, so that they can be held against one another. Null: not a model call, unpriced, or from before.
alter table event add column computed bigint;

-- Sums over the stored model calls that have both figures, in nanodollars: how far a source's own figures are from the
-- price book's.
alter table source
    add column reported bigint not null default 0,
    add column computed bigint not null default 0;
