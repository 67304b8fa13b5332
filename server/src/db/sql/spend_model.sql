-- models that calls name, each once
insert into spend_model (town_id, model)
select $1, named.model from unnest($2::text[]) as named(model)
where not exists (select from spend_model m where m.town_id = $1 and m.model = named.model)
on conflict do nothing
