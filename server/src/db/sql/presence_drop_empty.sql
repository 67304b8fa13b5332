-- after events were taken back: a minute without signs of work has no row
delete from presence p
using unnest($1::integer[], $2::timestamptz[], $3::text[], $4::text[]) as touched(town_id, minute, rig, agent)
where p.town_id = touched.town_id and p.minute = touched.minute and p.rig = touched.rig
  and p.agent = touched.agent and p.n = 0
