-- The most frequent names of each source that nobody understood. A source has a few hundred at most (db::unmapped).
select source, name, count from (
    select source, name, count, row_number() over (partition by source order by count desc, name) as place
    from unmapped
    where town_id = $1
) as ranked
where place <= $2
order by source, place
limit $3
