-- The row is made first, so that two requests of one sender wait for each other here: only one of them counts a batch.
-- The update that changes nothing takes the lock and returns the row in either case.
insert into shipper as s (town_id, shipper, name, host, version, last_batch, first_heard, last_heard, counted_from, waiting_bytes, parked)
values ($1, $2, '', '', '', 0, $3, $3, $3, 0, 0)
on conflict (town_id, shipper) do update set last_batch = s.last_batch
returning last_batch, parts, (xmax = 0) as is_new
