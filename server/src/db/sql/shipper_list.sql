-- At most as many as are kept of a town.
select shipper, name, host, version, last_batch, first_heard, last_heard, waiting_bytes, oldest, parked, dropped, trouble,
       stored, duplicate, rejected, counted_from
  from shipper
 where town_id = $1
 order by name, last_heard desc
 limit 1000
