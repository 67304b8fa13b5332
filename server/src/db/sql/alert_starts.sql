-- Agents of these towns that were started at least $3 times since $2, each start a conversation of its own: a handoff, a
-- restart by the daemon, a crash and another try. A conversation without an agent's name is nobody's loop.
select t.town_id, s.rig, s.agent, s.starts
  from unnest($1::integer[]) as t(town_id)
 cross join lateral (select coalesce(rig, '') as rig, agent, count(*) as starts
                       from session
                      where town_id = t.town_id and first_seen >= $2 and agent is not null
                      group by 1, 2
                     having count(*) >= $3
                      order by starts desc, rig, agent
                      limit $4) s
