-- Takes the watch, or says that one still has it; a row comes back then, and none while another has it.
insert into alert_watch (holder, until) values ($1, now() + $2::bigint * interval '1 second')
on conflict (one) do update set holder = excluded.holder, until = excluded.until
where alert_watch.holder = excluded.holder or alert_watch.until < now()
returning holder
