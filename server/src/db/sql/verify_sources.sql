-- The sums of both costs per source against the events that make them: model calls with both figures. Events of a town
-- whose source was never counted show as missing rows. When events were dropped for their age, the sums say more than
-- the events can: nothing is compared then.
with expected as (
    select town_id, source, sum(reported)::bigint as reported, sum(computed)::bigint as computed
    from event
    where kind = 0 and reported is not null and computed is not null
    group by town_id, source
), both_sides as (
    select town_id, source as part,
           case when s.source is not null then array[s.reported, s.computed] end as stored,
           array[coalesce(e.reported, 0), coalesce(e.computed, 0)] as expected
    from source s full join expected e using (town_id, source)
    where not exists (select from retention where store = 'event')
)
select count(*) over () as compared,
       count(*) filter (where stored is distinct from expected) over () as different,
       town_id, 'epoch'::timestamptz as bucket, part, stored::text, expected::text,
       stored is distinct from expected as differs
from both_sides
order by differs desc, town_id, part
limit 20
