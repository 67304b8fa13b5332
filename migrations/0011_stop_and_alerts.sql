-- What an agent's states say of the bead on its hook (model::hook::Hook), and its last progress: so that hooked work
-- that nobody touches is seen, and a restart does not start the time anew. `hook_state` is AgentState by position.
alter table agent
    add column progressed_at timestamptz,
    add column hook_bead     text,
    add column hook_state    smallint,
    add column hook_since    timestamptz,
    add column hook_at       timestamptz,
    add column hook_closed   boolean not null default false;

-- Until now nobody told progress from saying so: believed, so that nobody is called stalled for the past.
update agent set progressed_at = worked_at;

-- Agents by the bead on their hook, for when beads are closed: few have one.
create index agent_by_hook on agent (town_id, hook_bead) where hook_bead is not null and not hook_closed;

-- What is not fine (model::alert::AlertState): a row per tank, source or agent, which goes when it is fine again. A step
-- is claimed here by its old state, in the transaction that writes its deliveries: so with several servers it is told
-- once, and a restart neither repeats nor loses it.
create table alert (
    town_id integer     not null,
    -- 'tank', 'source/<name>' or 'agent/<rig>/<name>'
    subject text        not null,
    state   text        not null,
    since   timestamptz not null,
    primary key (town_id, subject)
);

-- What webhooks are to be told, and what came of it. `hook` is a hash of the address, which may itself be a secret.
-- `next_try` is null when nothing remains to be done. Bounded: the newest of each hook (db::webhook::KEPT).
create table delivery (
    town_id      integer     not null,
    delivery_id  uuid        not null,
    hook         text        not null,
    kind         text        not null,
    ts           timestamptz not null,
    -- the body as it is sent, so that every try signs and sends the same
    body         text        not null,
    tries        integer     not null default 0,
    next_try     timestamptz,
    delivered_at timestamptz,
    -- of the last try: the status of the answer, or why there was none
    status       smallint,
    error        text,
    primary key (town_id, delivery_id)
);

-- What is due, and the newest of a hook.
create index delivery_due on delivery (next_try) where next_try is not null;
create index delivery_newest on delivery (hook, ts desc, delivery_id desc);
