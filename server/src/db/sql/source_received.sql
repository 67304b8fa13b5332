-- What every source of every town received so far: a handful of rows per town, read again every few seconds.
select town_id, source, received from source order by town_id, source limit $1
