-- the oldest changes of a town, if they are old enough: nothing newer is read
delete from change c
using (select seq from change where town_id = $1 order by seq limit $2) as oldest
where c.town_id = $1 and c.seq = oldest.seq and c.noted_at < now() - $3 * interval '1 second'
