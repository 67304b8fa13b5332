-- Per minute: who has presence in it or in one of the two before (WORKING_HOLD_S).
select shown.minute, count(distinct (presence.rig, presence.agent)) as working
  from presence
  cross join lateral generate_series(presence.minute, presence.minute + interval '2 minutes', interval '1 minute') as shown(minute)
 where presence.town_id = $1 and presence.minute >= $2
 group by 1
