-- Alerts become episodes that pages show: each row of `alert` lives from when something stopped being fine until it is
-- fine again, and has a name by which a person can speak of it.
alter table alert
    -- another for each episode, so that nobody silences the next one by an old page
    add column alert_id uuid    not null default gen_random_uuid(),
    -- what pages say and webhooks were told of it (JSON), as of the last step or a minute ago
    add column words    text    not null default '',
    add column data     text    not null default '{}',
    -- false: it began while it was snoozed, and webhooks hear of it when that ends, should it last so long
    add column told     boolean not null default true;

-- By which an episode is found: a town has few.
create unique index alert_by_id on alert (town_id, alert_id);

-- What nobody wants to hear of for a while. Of the subject, not of the episode: something that trembles for an hour was
-- silenced for that hour. `covers` is the state in which it was silenced; a worse one is heard again.
create table alert_snooze (
    town_id integer     not null,
    subject text        not null,
    covers  text        not null,
    until   timestamptz not null,
    primary key (town_id, subject)
);

-- Which server looks. With several on one database each sees what is committed a moment earlier or later than the others:
-- two that judge the same reading would take each other's steps back. One row; who holds it says so at each look, and
-- another takes over when it was silent for too long. By the database's clock, which all share.
create table alert_watch (
    one    boolean     primary key default true check (one),
    holder uuid        not null,
    until  timestamptz not null
);

-- How often an agent was started lately: the sessions of the last minutes, not all there ever were. `first_seen` of a
-- session hardly ever changes, so updates stay HOT.
create index session_by_start on session (town_id, first_seen);
