-- the number that a further row of the same model, date and origin gets; by the index of price_once
select coalesce(max(revision) + 1, 0) from price
where model = $1 and effective = $2 and source = $3 and noted = $4::text::date
