-- A step of the history. The first one stays: a step that was begun anew after a restart says less than the one before.
insert into host_mean (town_id, name, step_s, at, cpu, memory_used, memory_total, has_gpu, gpu, vram_used, vram_total,
                       disk_used, disk_total)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
on conflict do nothing
