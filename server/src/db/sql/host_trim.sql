-- Of a town the $2 hosts that were heard last are kept, and none that was silent since $3: its history is gone by then.
delete from host h
 using (select name, last_heard, row_number() over (order by last_heard desc) as place from host where town_id = $1) as old
 where h.town_id = $1 and h.name = old.name and (old.place > $2 or old.last_heard < $3)
