-- with the piece itself, so that it is counted exactly as often as it happened; `floor` only where it cut something off
update reprice set
    cursor_ts = $3, cursor_key = $4,
    floor = case when $5 > from_ts then least($5, to_ts) else floor end,
    looked = looked + $6, changed = changed + $7,
    cost_before = cost_before + $8, cost_after = cost_after + $9, unpriced = unpriced + $10,
    changed_from = least(changed_from, $11), changed_to = greatest(changed_to, $12),
    finished_at = case when $13 then now() end
where town_id = $1 and job_id = $2
