-- after events were taken back: a bucket without events of a role has no row
delete from by_role_10s h
using unnest($1::integer[], $2::timestamptz[], $3::smallint[]) as touched(town_id, bucket, role)
where h.town_id = touched.town_id and h.bucket = touched.bucket and h.role = touched.role and h.events = 0
