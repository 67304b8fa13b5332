-- A sender whose state folder was removed comes back as another one. Of each town the $2 that were heard last are kept.
delete from shipper s
 using (select shipper from shipper where town_id = $1 order by last_heard desc offset $2) as old
 where s.town_id = $1 and s.shipper = old.shipper
