-- Viewers of this server look: samplers that are other processes are to read every $3 seconds until $4. Written anew only
-- when it would soon run out or the pace changed.
update host
   set wanted_s = $3, wanted_until = $4
 where town_id = $1 and writer <> all ($2) and last_heard > $6
   and (wanted_until is null or wanted_until < $5 or wanted_s is distinct from $3)
