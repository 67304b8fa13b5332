-- how far the sums of a group were counted, per series
select c.message, c.origin, max(c.tokens)
from unnest($2::uuid[]) as wanted(message)
join claim c on c.town_id = $1 and c.message = wanted.message
where c.basis = 4
group by c.message, c.origin
