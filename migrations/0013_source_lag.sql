-- How old the newest event of the last batch was when it was stored, in milliseconds: how far what is shown is behind
-- what happens. A batch without new events leaves it as it was. Null: from before, or nothing was stored yet.
alter table source add column lag_ms bigint;
