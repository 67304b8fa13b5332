-- towns with something to redo, by hopping through the primary key: one read per town, however long the list
with recursive town as (
    (select town_id from latency_dirty order by town_id limit 1)
    union all
    select (select d.town_id from latency_dirty d where d.town_id > town.town_id order by d.town_id limit 1)
    from town where town.town_id is not null
)
select town_id from town where town_id is not null limit 10000
