-- What is told of requests, merged into what is known of them: as model::request::RequestSpan::merge, where `least` passes
-- over null. Role 6 (Role::Other) says nothing. Rows come sorted by their key, each once.
insert into request as r (town_id, id, started_at, ended_at, ok, lost_at,
                          source, role, rig, agent, session, bead, model, tool)
select * from unnest($1::integer[], $2::uuid[], $3::timestamptz[], $4::timestamptz[], $5::boolean[], $6::timestamptz[],
                     $7::text[], $8::smallint[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[],
                     $14::text[])
on conflict (town_id, id) do update set
    started_at = least(r.started_at, excluded.started_at),
    ok = case when excluded.ended_at is null then r.ok
              when r.ended_at is null or excluded.ended_at < r.ended_at then excluded.ok
              when excluded.ended_at = r.ended_at then r.ok and excluded.ok
              else r.ok end,
    ended_at = least(r.ended_at, excluded.ended_at),
    lost_at = least(r.lost_at, excluded.lost_at),
    role = case when r.role = 6 then excluded.role else r.role end,
    rig = coalesce(r.rig, excluded.rig),
    agent = coalesce(r.agent, excluded.agent),
    session = coalesce(r.session, excluded.session),
    bead = coalesce(r.bead, excluded.bead),
    model = coalesce(r.model, excluded.model),
    tool = coalesce(r.tool, excluded.tool)
