-- the roster: the same merge as model::roster::AgentRow::merge; role 6 is Role::Other, which says nothing
insert into agent as a (town_id, rig, name, role, session, bead, said, said_at, worked_at, first_seen, last_seen)
select * from unnest($1::integer[], $2::text[], $3::text[], $4::smallint[], $5::text[], $6::text[], $7::smallint[],
                     $8::timestamptz[], $9::timestamptz[], $10::timestamptz[], $11::timestamptz[])
on conflict (town_id, rig, name) do update set
    role = case
        when excluded.last_seen >= a.last_seen and excluded.role <> 6 then excluded.role
        when a.role = 6 then excluded.role
        else a.role
    end,
    session = case
        when excluded.last_seen >= a.last_seen then coalesce(excluded.session, a.session)
        else coalesce(a.session, excluded.session)
    end,
    bead = case
        when excluded.last_seen >= a.last_seen then coalesce(excluded.bead, a.bead)
        else coalesce(a.bead, excluded.bead)
    end,
    said = case when a.said_at is null or excluded.said_at >= a.said_at then coalesce(excluded.said, a.said) else a.said end,
    said_at = greatest(a.said_at, excluded.said_at),
    worked_at = greatest(a.worked_at, excluded.worked_at),
    first_seen = least(a.first_seen, excluded.first_seen),
    last_seen = greatest(a.last_seen, excluded.last_seen)
