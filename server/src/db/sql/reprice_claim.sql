-- a job to go on with, and from when on events may be priced again: below the retention floor the tiers could no longer
-- follow. Who does not get the row leaves the job to the one who has it.
select town.name as town, r.from_ts, r.to_ts, r.model, r.cursor_ts, r.cursor_key,
       (select max(floor) from retention) as floor
from reprice r
join town on town.town_id = r.town_id
where r.town_id = $1 and r.job_id = $2 and r.finished_at is null
for update of r skip locked
