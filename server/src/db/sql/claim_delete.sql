delete from claim c
using unnest($1::integer[], $2::uuid[], $3::uuid[]) as gone(town_id, message, request)
where c.town_id = gone.town_id and c.message = gone.message and c.request = gone.request
