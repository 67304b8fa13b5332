-- towns with something that waits, by hopping through the primary key: one read per town, however much waits
with recursive town as (
    (select town_id from spend_part order by town_id limit 1)
    union all
    select (select p.town_id from spend_part p where p.town_id > town.town_id order by p.town_id limit 1)
    from town where town.town_id is not null
)
select town_id from town where town_id is not null limit 10000
