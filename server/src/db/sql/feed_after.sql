-- Changes of town $1 from number $2 on, as many as begin within the next $3 entries. The inner select does not read what is
-- in them: that lies elsewhere (toast) until it is wanted.
select seq, gone, added
from (
    select seq, gone, added, sum(entries) over (order by seq) - entries as before
    from (
        select seq, entries, gone, added from change where town_id = $1 and seq >= $2 order by seq limit $4
    ) as next
) as counted
where before < $3
order by seq
