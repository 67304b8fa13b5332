-- What is not fine in each of these towns, and what of it is snoozed: one step down the key for each town.
select t.town_id, a.alert_id, a.subject, a.state, a.since, a.words, a.data, a.told, s.covers, s.until
  from unnest($1::integer[]) as t(town_id)
 cross join lateral (select *
                       from alert
                      where town_id = t.town_id
                      order by subject
                      limit $2) a
  left join alert_snooze s on s.town_id = a.town_id and s.subject = a.subject and s.until > $3
