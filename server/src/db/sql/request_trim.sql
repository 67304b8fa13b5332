-- Of a town's requests the newest $2 stay, and it is noted since when all of them are kept.
with edge as (
    select at from request where town_id = $1 order by at desc offset $2 limit 1
), noted as (
    insert into request_kept as k (town_id, since) select $1, at from edge
    on conflict (town_id) do update set since = greatest(k.since, excluded.since)
)
delete from request using edge where town_id = $1 and request.at <= edge.at
