-- What a town spent from its first ledger entry until an instant, settled before retention drops what the sum is made
-- of: the tank is exact for ever, although the events and fine tiers behind it are gone. Nothing changes it later,
-- because events below a retention floor are refused. `first` is the entry that it counts from.
create table spent (
    town_id integer     not null,
    first   timestamptz not null,
    until   timestamptz not null,
    -- nanodollars
    cost    bigint      not null,
    primary key (town_id, first, until)
);
