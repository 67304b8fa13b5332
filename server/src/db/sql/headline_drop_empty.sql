-- after events were taken back: a bucket without events has no row
delete from headline_10s h
using unnest($1::integer[], $2::timestamptz[]) as touched(town_id, bucket)
where h.town_id = touched.town_id and h.bucket = touched.bucket and h.events = 0
