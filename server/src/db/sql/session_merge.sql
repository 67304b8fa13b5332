-- what is known of a conversation; later reports win, role 6 (Role::Other) says nothing.
-- `reported` is running totals added up over resets (within the batch: by the writer); a sum below the last total known
-- is a reset.
insert into session as s (town_id, session, source, rig, role, agent, bead, reported, reported_last, reported_at,
                          first_seen, last_seen, ended_at, lacks_agent, lacks_role, lacks_rig)
select * from unnest($1::integer[], $2::text[], $3::text[], $4::text[], $5::smallint[], $6::text[], $7::text[],
                     $8::bigint[], $9::bigint[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[],
                     $13::timestamptz[], $14::bigint[], $15::bigint[], $16::bigint[])
on conflict (town_id, session) do update set
    rig = case when excluded.last_seen >= s.last_seen then coalesce(excluded.rig, s.rig)
               else coalesce(s.rig, excluded.rig) end,
    role = case when excluded.last_seen >= s.last_seen and excluded.role <> 6 then excluded.role
                when s.role = 6 then excluded.role else s.role end,
    agent = case when excluded.last_seen >= s.last_seen then coalesce(excluded.agent, s.agent)
                 else coalesce(s.agent, excluded.agent) end,
    bead = case when excluded.last_seen >= s.last_seen then coalesce(excluded.bead, s.bead)
                else coalesce(s.bead, excluded.bead) end,
    reported = case when excluded.reported is null then s.reported
                    when s.reported is null then excluded.reported
                    when excluded.reported_at <= s.reported_at then s.reported
                    when excluded.reported >= s.reported_last then s.reported + excluded.reported - s.reported_last
                    else s.reported + excluded.reported end,
    reported_last = case when s.reported_at is null or excluded.reported_at > s.reported_at
                         then coalesce(excluded.reported_last, s.reported_last) else s.reported_last end,
    reported_at = greatest(s.reported_at, excluded.reported_at),
    first_seen = least(s.first_seen, excluded.first_seen),
    last_seen = greatest(s.last_seen, excluded.last_seen),
    ended_at = greatest(s.ended_at, excluded.ended_at),
    lacks_agent = s.lacks_agent + excluded.lacks_agent,
    lacks_role = s.lacks_role + excluded.lacks_role,
    lacks_rig = s.lacks_rig + excluded.lacks_rig
