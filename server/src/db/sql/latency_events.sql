-- the calls of town $1 from $2 to before $3, for a fold from scratch: model calls and tool calls
select ts, kind, coalesce(model, tool) as name, coalesce(ok, true) as ok, duration_us
from event
where town_id = $1 and ts >= $2 and ts < $3 and kind in (0, 1)
