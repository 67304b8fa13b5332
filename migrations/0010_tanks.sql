-- Tanks beside the meter: balances that providers tell when they are asked, and windows of subscriptions that agents
-- tell. The meter itself is the ledger less what was spent; a provider's balance corrects it through the ledger.
create table tank (
    town_id  integer     not null,
    name     text        not null,
    -- 'money': billionths of its currency; 'window': millionths of a whole window
    kind     text        not null check (kind in ('money', 'window')),
    -- who tells: a provider ('openrouter') or an agent's source ('claude_code', 'codex')
    source   text        not null,
    currency text        not null default '',
    -- its readings correct the meter
    meter    boolean     not null default false,
    -- what a full one holds, where the owner said so
    capacity bigint,
    -- why it could not be read, in plain words; null when the last attempt went well
    trouble  text,
    -- when a process last set out to ask: of several on one database only one asks in each period
    asked_at timestamptz,
    -- by how much the last reading was below the meter, and has to be seen again before it counts (model::correction)
    pending  bigint      not null default 0,
    primary key (town_id, name)
) with (fillfactor = 70);

-- What tanks held, in the order of time whatever the order of arrival. The newest counts; the others say how fast a tank
-- runs dry. Bounded per tank where readings are stored (db::tank).
create table reading (
    town_id   integer     not null,
    tank      text        not null,
    at        timestamptz not null,
    -- what was left, in the unit of the tank's kind
    amount    bigint      not null,
    -- when the window begins anew
    resets_at timestamptz,
    primary key (town_id, tank, at)
);
