-- the newest 50 of each source are enough to see what is wrong
delete from rejection r
using (select distinct town_id, source from unnest($1::integer[], $2::text[]) as t(town_id, source)) as touched
where r.town_id = touched.town_id and r.source = touched.source and r.id < (
    select min(id) from (
        select id from rejection newest
        where newest.town_id = touched.town_id and newest.source = touched.source
        order by id desc limit 50
    ) as kept
)
