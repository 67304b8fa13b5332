-- A town's hosts over a window, one row per host and step of $5 seconds that anything is known of, by host and time. Made
-- of the rows of $2 seconds; a step is the mean of its rows.
select m.name, p.at_s, round(avg(m.cpu))::smallint as cpu, round(avg(m.memory_used))::bigint as memory_used,
       max(m.memory_total) as memory_total, bool_or(m.has_gpu) as has_gpu, round(avg(m.gpu))::smallint as gpu,
       round(avg(m.vram_used))::bigint as vram_used, max(m.vram_total) as vram_total,
       round(avg(m.disk_used))::bigint as disk_used, max(m.disk_total) as disk_total
  from host h
  join host_mean m on m.town_id = h.town_id and m.name = h.name and m.step_s = $2 and m.at >= $3 and m.at < $4
 cross join lateral (select (extract(epoch from m.at)::bigint / $5) * $5 as at_s) p
 where h.town_id = $1
 group by m.name, p.at_s
 order by m.name, p.at_s
 limit $6
