select source, name, count, last_seen
from unmapped
where town_id = $1
order by source, count desc, name
limit $2
