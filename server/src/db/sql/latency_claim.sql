-- takes the newest spans that changed: what is live is looked at, history can wait
delete from latency_dirty d
using (select distinct bucket from latency_dirty where town_id = $1 order by bucket desc limit $2) as newest
where d.town_id = $1 and d.bucket = newest.bucket
returning d.bucket
