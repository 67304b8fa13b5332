update shipper
   set name = $3, host = $4, version = $5, last_batch = greatest(last_batch, $6), last_heard = greatest(last_heard, $7),
       waiting_bytes = $8, oldest = $9, parked = $10, trouble = $11, dropped = $12, stored = stored + $13,
       duplicate = duplicate + $14, rejected = rejected + $15, parts = $16
 where town_id = $1 and shipper = $2
