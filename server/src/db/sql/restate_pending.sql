-- sessions that know by now what some of their stored events lack; the partial index session_to_restate holds no others
select town_id, session
from session
where (lacks_agent > 0 and agent is not null) or (lacks_role > 0 and role <> 6)
   or (lacks_rig > 0 and rig is not null)
order by town_id, session
limit 100
