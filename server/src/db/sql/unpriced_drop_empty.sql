-- after calls were taken back: a model without unpriced calls has no row
delete from unpriced u
using unnest($1::integer[], $2::text[], $3::timestamptz[]) as touched(town_id, model, bucket)
where u.town_id = touched.town_id and u.model = touched.model and u.bucket = touched.bucket and u.calls = 0
