-- the places of events that stand for many calls (Basis::Metric); by claim_of_sums, whose predicate is repeated
select ts, key from claim where town_id = $1 and basis = 4 and ts >= $2 and ts <= $3
