-- two ends of a primary key; the newest number is the counter's, for all changes may have been forgotten
select coalesce((select seq from feed where town_id = $1), 0),
       (select seq from change where town_id = $1 order by seq limit 1)
