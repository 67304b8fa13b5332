-- A source's first names are kept; when there are $6 of them, the rest is counted as one.
with known as (
    select u.source, count(*) as names
    from unmapped u
    where u.town_id = $1 and u.source = any ($2::text[])
    group by u.source
), named as (
    select n.source, n.count,
           case when u.name is not null or coalesce(k.names, 0) + row_number() over (
                    partition by n.source order by u.name is null, n.name) - count(u.name) over (partition by n.source)
                    <= $6 then n.name else $5 end as name
    from unnest($2::text[], $3::text[], $4::bigint[]) as n(source, name, count)
    left join unmapped u on u.town_id = $1 and u.source = n.source and u.name = n.name
    left join known k on k.source = n.source
)
insert into unmapped as u (town_id, source, name, count, last_seen)
select $1, source, name, sum(count), now()
from named
group by source, name
order by source, name
on conflict (town_id, source, name) do update set
    count = u.count + excluded.count,
    last_seen = excluded.last_seen
