-- The newest reading of a host ($2) by its sampler ($3). Another sampler's row is left alone while that one is heard:
-- then nothing comes back. What comes back says how often viewers elsewhere want readings now, if they do.
insert into host as h (town_id, name, writer, pid, first_heard, last_heard, cpu, memory_used, memory_total, has_gpu, gpu,
                       vram_used, vram_total, disk_used, disk_total)
values ($1, $2, $3, $4, $5, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
on conflict (town_id, name) do update
   set writer = excluded.writer, pid = excluded.pid, last_heard = excluded.last_heard, cpu = excluded.cpu,
       memory_used = excluded.memory_used, memory_total = excluded.memory_total, has_gpu = excluded.has_gpu,
       gpu = excluded.gpu, vram_used = excluded.vram_used, vram_total = excluded.vram_total,
       disk_used = excluded.disk_used, disk_total = excluded.disk_total
 where h.writer = excluded.writer or h.last_heard < $15
returning case when wanted_until > $5 then wanted_s end as wanted_s, (xmax = 0) as is_new
