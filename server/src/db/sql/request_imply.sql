-- Requests that are shown to be under way, sorted by id. An event that tells the end of one has claimed its message
-- already: then it is over, whoever told that first.
insert into request as r (town_id, id, started_at, told_by, source, role, rig, agent, session, bead, model, tool)
select $1, n.*
from unnest($2::uuid[], $3::timestamptz[], $4::uuid[], $5::text[], $6::smallint[], $7::text[], $8::text[], $9::text[],
            $10::text[], $11::text[], $12::text[])
     as n(id, started_at, told_by, source, role, rig, agent, session, bead, model, tool)
where n.told_by is null or not exists (select from claim c where c.town_id = $1 and c.message = n.told_by)
on conflict (town_id, id) do update set
    started_at = least(r.started_at, excluded.started_at),
    told_by = coalesce(r.told_by, excluded.told_by),
    role = case when r.role = 6 then excluded.role else r.role end,
    rig = coalesce(r.rig, excluded.rig),
    agent = coalesce(r.agent, excluded.agent),
    session = coalesce(r.session, excluded.session),
    bead = coalesce(r.bead, excluded.bead),
    model = coalesce(r.model, excluded.model),
    tool = coalesce(r.tool, excluded.tool)
