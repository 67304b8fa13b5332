-- events of session $4 that lack its agent ($5), its role ($6) or its rig ($7; the mayor and the deacon have none): the
-- primary key from $2 to $3, so the partitions of the session's days only
select ts, key
from event
where town_id = $1 and ts >= $2 and ts <= $3 and session = $4
  and (($5 and (agent is null or agent = session)) or ($6 and role = 6)
       or ($7 and rig is null and role not in (0, 4)))
order by ts, key
limit $8
