-- Every host of a town with its newest reading. A town has few: $2 at most.
select name, writer, pid, last_heard, cpu, memory_used, memory_total, has_gpu, gpu, vram_used, vram_total, disk_used,
       disk_total
  from host
 where town_id = $1
 order by name
 limit $2
