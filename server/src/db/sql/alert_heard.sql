-- When each source of these towns was heard last: those that never were have a look of their own.
select t.town_id, s.source, s.last_heard
  from unnest($1::integer[]) as t(town_id)
 cross join lateral (select source, last_heard
                       from source
                      where town_id = t.town_id and last_heard is not null
                      order by source
                      limit $2) s
