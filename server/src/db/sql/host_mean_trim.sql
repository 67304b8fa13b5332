-- Steps of one length that are older than it is kept, some at a time.
delete from host_mean m
 using (select town_id, name, step_s, at from host_mean where step_s = $1 and at < $2 order by at limit $3) as old
 where m.town_id = old.town_id and m.name = old.name and m.step_s = old.step_s and m.at = old.at
