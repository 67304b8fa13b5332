-- As lacks_agent and lacks_role (0004): how many stored events of a session lack its rig. Agents of the whole town have
-- none, and lack nothing. Sessions whose rig is not known yet are looked at once it is.
alter table session add column lacks_rig bigint not null default 0;

update session set lacks_rig = 1 where rig is null;

-- The worker's list: roles 0 and 4 are Role::Mayor and Role::Deacon, 6 is Role::Other.
drop index session_to_restate;
create index session_to_restate on session (town_id, session)
    where (lacks_agent > 0 and agent is not null) or (lacks_role > 0 and role <> 6)
       or (lacks_rig > 0 and rig is not null);
