-- How many stored events of a session lack its agent or its role, as far as writers know. Once the session has what
-- they lack, the rollup worker tells them again and takes the count back: so this is also the worker's list of things
-- to do. Sessions from before are looked at once.
alter table session
    add column lacks_agent bigint not null default 0,
    add column lacks_role  bigint not null default 0;

update session set lacks_agent = 1 where agent is null;
update session set lacks_role = 1 where role = 6;

-- Only those that wait for the worker: usually none. Role 6 is Role::Other, which says nothing.
create index session_to_restate on session (town_id, session)
    where (lacks_agent > 0 and agent is not null) or (lacks_role > 0 and role <> 6);
