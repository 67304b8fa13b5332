-- What ranks below an agent's own words (model::evidence): what its bead says of it and since when, and when something
-- moved last in its terminal. Kept apart, because which of them is believed depends on how old each has become.
-- `recorded` is AgentState by position, as `said` is.
alter table agent
    add column recorded    smallint,
    add column recorded_at timestamptz,
    add column terminal_at timestamptz;

-- Parts of the batch that a sender has not brought whole yet, by a hash of each, of which the bad lines were counted: a
-- part that is sent again counts nothing. Empty again with the batch's last part.
alter table shipper add column parts uuid[] not null default '{}';
