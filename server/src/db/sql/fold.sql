-- everything that follows from a batch, in one round trip: the rows that all batches touch are locked for as short as
-- can be. Postgres promises no order among these statements, but runs each to its end and all in one order, the same for
-- everybody who runs this text: in fact the last first (feed, dirty, sources, sessions, roster, presence, roles, headline).
-- Within each, rows come sorted by their key. So writers never wait in a circle; whoever locks such rows elsewhere takes
-- them in that order too (restate_session.sql).
-- `fillfactor` keeps room for HOT updates: no updated column is indexed, except that session_to_restate looks at some of
-- session's and agent_by_hook at an agent's hook, so that what changes those is no HOT update.
with
-- the finest tier
headline as (
    insert into headline_10s as h (town_id, bucket, events, calls, call_errors, input_tokens, output_tokens,
                                   cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cost_nanodollars,
                                   unpriced_tokens, tool_calls, tool_errors, lines_added,
                                   lines_removed, beads_created, beads_closed, lines_landed_added,
                                   lines_landed_removed)
    select * from unnest($1::integer[], $2::timestamptz[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
                         $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[],
                         $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[],
                         $15::bigint[], $16::bigint[], $17::bigint[], $18::bigint[],
                         $76::bigint[], $77::bigint[])
    on conflict (town_id, bucket) do update set
        events = h.events + excluded.events,
        calls = h.calls + excluded.calls,
        call_errors = h.call_errors + excluded.call_errors,
        input_tokens = h.input_tokens + excluded.input_tokens,
        output_tokens = h.output_tokens + excluded.output_tokens,
        cache_read_tokens = h.cache_read_tokens + excluded.cache_read_tokens,
        cache_write_5m_tokens = h.cache_write_5m_tokens + excluded.cache_write_5m_tokens,
        cache_write_1h_tokens = h.cache_write_1h_tokens + excluded.cache_write_1h_tokens,
        cost_nanodollars = h.cost_nanodollars + excluded.cost_nanodollars,
        unpriced_tokens = h.unpriced_tokens + excluded.unpriced_tokens,
        tool_calls = h.tool_calls + excluded.tool_calls,
        tool_errors = h.tool_errors + excluded.tool_errors,
        lines_added = h.lines_added + excluded.lines_added,
        lines_removed = h.lines_removed + excluded.lines_removed,
        beads_created = h.beads_created + excluded.beads_created,
        beads_closed = h.beads_closed + excluded.beads_closed,
        lines_landed_added = h.lines_landed_added + excluded.lines_landed_added,
        lines_landed_removed = h.lines_landed_removed + excluded.lines_landed_removed
),
-- the same by role
roles as (
    insert into by_role_10s as h (town_id, bucket, role, cost, tokens, calls, events)
    select * from unnest($19::integer[], $20::timestamptz[], $21::smallint[], $22::bigint[], $23::bigint[], $24::bigint[],
                         $25::bigint[])
    on conflict (town_id, bucket, role) do update set
        cost = h.cost + excluded.cost,
        tokens = h.tokens + excluded.tokens,
        calls = h.calls + excluded.calls,
        events = h.events + excluded.events
),
-- who showed signs of work, per minute
present as (
    insert into presence as p (town_id, minute, rig, agent, n)
    select * from unnest($26::integer[], $27::timestamptz[], $28::text[], $29::text[], $30::bigint[])
    on conflict (town_id, minute, rig, agent) do update set n = p.n + excluded.n
),
-- the roster: the same merge as model::roster::AgentRow::merge; role 6 is Role::Other, which says nothing
roster as (
    insert into agent as a (town_id, rig, name, role, session, bead, said, said_at, worked_at, first_seen, last_seen,
                            progressed_at, hook_bead, hook_state, hook_since, hook_at, hook_closed, recorded,
                            recorded_at, terminal_at, gt_status, gt_status_at)
    select * from unnest($31::integer[], $32::text[], $33::text[], $34::smallint[], $35::text[], $36::text[], $37::smallint[],
                         $38::timestamptz[], $39::timestamptz[], $40::timestamptz[], $41::timestamptz[],
                         $42::timestamptz[], $43::text[], $44::smallint[], $45::timestamptz[], $46::timestamptz[],
                         $47::boolean[], $78::smallint[], $79::timestamptz[], $80::timestamptz[],
                         $95::smallint[], $96::timestamptz[])
    on conflict (town_id, rig, name) do update set
        role = case
            when excluded.last_seen >= a.last_seen and excluded.role <> 6 then excluded.role
            when a.role = 6 then excluded.role
            else a.role
        end,
        session = case
            when excluded.last_seen >= a.last_seen then coalesce(excluded.session, a.session)
            else coalesce(a.session, excluded.session)
        end,
        bead = case
            when excluded.last_seen >= a.last_seen then coalesce(excluded.bead, a.bead)
            else coalesce(a.bead, excluded.bead)
        end,
        said = case when a.said_at is null or excluded.said_at >= a.said_at then coalesce(excluded.said, a.said) else a.said end,
        said_at = greatest(a.said_at, excluded.said_at),
        recorded = case when a.recorded_at is null or excluded.recorded_at >= a.recorded_at
                        then coalesce(excluded.recorded, a.recorded) else a.recorded end,
        recorded_at = greatest(a.recorded_at, excluded.recorded_at),
        gt_status = case when a.gt_status_at is null or excluded.gt_status_at >= a.gt_status_at
                         then coalesce(excluded.gt_status, a.gt_status) else a.gt_status end,
        gt_status_at = greatest(a.gt_status_at, excluded.gt_status_at),
        terminal_at = greatest(a.terminal_at, excluded.terminal_at),
        worked_at = greatest(a.worked_at, excluded.worked_at),
        progressed_at = greatest(a.progressed_at, excluded.progressed_at),
        -- the same as model::hook::Hook::merge
        hook_bead = case when excluded.hook_at >= a.hook_at or a.hook_at is null then excluded.hook_bead
                         else a.hook_bead end,
        hook_state = case when excluded.hook_at >= a.hook_at or a.hook_at is null then excluded.hook_state
                          else a.hook_state end,
        hook_since = case
            when excluded.hook_at is null or a.hook_at is null then coalesce(a.hook_since, excluded.hook_since)
            when (excluded.hook_bead, excluded.hook_state) is not distinct from (a.hook_bead, a.hook_state)
            then case when excluded.hook_at >= a.hook_at then least(a.hook_since, excluded.hook_since) else a.hook_since end
            when excluded.hook_at >= a.hook_at
            then case when a.hook_at > excluded.hook_since then excluded.hook_at else excluded.hook_since end
            when excluded.hook_at > a.hook_since then a.hook_at
            else a.hook_since
        end,
        hook_at = greatest(a.hook_at, excluded.hook_at),
        hook_closed = case
            when excluded.hook_at is null then a.hook_closed
            when excluded.hook_bead is not distinct from a.hook_bead then a.hook_closed or excluded.hook_closed
            when a.hook_at is null or excluded.hook_at >= a.hook_at then excluded.hook_closed
            else a.hook_closed
        end,
        first_seen = least(a.first_seen, excluded.first_seen),
        last_seen = greatest(a.last_seen, excluded.last_seen)
),
-- what is known of a conversation; later reports win, role 6 (Role::Other) says nothing.
-- `reported` is running totals added up over resets (within the batch: by the writer); a sum below the last total known
-- is a reset.
sessions as (
    insert into session as s (town_id, session, source, rig, role, agent, bead, reported, reported_last, reported_at,
                              first_seen, last_seen, ended_at, lacks_agent, lacks_role, lacks_rig)
    select * from unnest($48::integer[], $49::text[], $50::text[], $51::text[], $52::smallint[], $53::text[], $54::text[],
                         $55::bigint[], $56::bigint[], $57::timestamptz[], $58::timestamptz[], $59::timestamptz[],
                         $60::timestamptz[], $61::bigint[], $62::bigint[], $63::bigint[])
    on conflict (town_id, session) do update set
        rig = case when excluded.last_seen >= s.last_seen then coalesce(excluded.rig, s.rig)
                   else coalesce(s.rig, excluded.rig) end,
        role = case when excluded.last_seen >= s.last_seen and excluded.role <> 6 then excluded.role
                    when s.role = 6 then excluded.role else s.role end,
        agent = case when excluded.last_seen >= s.last_seen then coalesce(excluded.agent, s.agent)
                     else coalesce(s.agent, excluded.agent) end,
        bead = case when excluded.last_seen >= s.last_seen then coalesce(excluded.bead, s.bead)
                    else coalesce(s.bead, excluded.bead) end,
        reported = case when excluded.reported is null then s.reported
                        when s.reported is null then excluded.reported
                        when excluded.reported_at <= s.reported_at then s.reported
                        when excluded.reported >= s.reported_last then s.reported + excluded.reported - s.reported_last
                        else s.reported + excluded.reported end,
        reported_last = case when s.reported_at is null or excluded.reported_at > s.reported_at
                             then coalesce(excluded.reported_last, s.reported_last) else s.reported_last end,
        reported_at = greatest(s.reported_at, excluded.reported_at),
        first_seen = least(s.first_seen, excluded.first_seen),
        last_seen = greatest(s.last_seen, excluded.last_seen),
        ended_at = greatest(s.ended_at, excluded.ended_at),
        lacks_agent = s.lacks_agent + excluded.lacks_agent,
        lacks_role = s.lacks_role + excluded.lacks_role,
        lacks_rig = s.lacks_rig + excluded.lacks_rig
),
-- received = stored + duplicate + rejected, always
sources as (
    insert into source as s (town_id, source, received, stored, duplicate, rejected, last_event, last_heard,
                             reported, computed, lag_ms)
    select town_id, source, stored + duplicate + rejected, stored, duplicate, rejected, last_event, now(),
           reported, computed, (extract(epoch from now() - newest_stored) * 1000)::bigint
    from unnest($64::integer[], $65::text[], $66::bigint[], $67::bigint[], $68::bigint[], $69::timestamptz[],
                $73::bigint[], $74::bigint[], $75::timestamptz[])
         as n(town_id, source, stored, duplicate, rejected, last_event, reported, computed, newest_stored)
    on conflict (town_id, source) do update set
        received = s.received + excluded.received,
        stored = s.stored + excluded.stored,
        duplicate = s.duplicate + excluded.duplicate,
        rejected = s.rejected + excluded.rejected,
        last_event = greatest(s.last_event, excluded.last_event),
        last_heard = excluded.last_heard,
        reported = s.reported + excluded.reported,
        computed = s.computed + excluded.computed,
        lag_ms = coalesce(excluded.lag_ms, s.lag_ms)
),
-- what the rollup worker has to redo
dirty as (
    insert into rollup_dirty (town_id, bucket) select * from unnest($70::integer[], $71::timestamptz[])
),
-- how long calls took: parts of the finest tier, which nobody else touches
latency as (
    insert into latency_10s (town_id, bucket, kind, name, calls, errors, total_us, sketch)
    select * from unnest($81::integer[], $82::timestamptz[], $83::smallint[], $84::text[], $85::bigint[], $86::bigint[],
                         $87::bigint[], $88::bytea[])
),
latency_spans as (
    insert into latency_dirty (town_id, bucket) select * from unnest($89::integer[], $90::timestamptz[])
),
-- what calls cost whom: rows that wait for the worker, which nobody else touches
spend as (
    insert into spend_part (town_id, bucket, role, rig, agent, model, bead, session, provenance, calls, input_tokens,
                            output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cost,
                            unpriced_tokens)
    select * from unnest($97::integer[], $98::timestamptz[], $99::smallint[], $100::text[], $101::text[], $102::text[],
                         $103::text[], $104::text[], $105::smallint[], $106::bigint[], $107::bigint[], $108::bigint[],
                         $109::bigint[], $110::bigint[], $111::bigint[], $112::bigint[], $113::bigint[])
),
-- the order of commits: each town's row stays locked until then, so that numbers are seen in their order
numbered as (
    insert into feed as f (town_id, seq) select town_id, 1 from unnest($91::integer[]) as town_id
    on conflict (town_id) do update set seq = f.seq + 1
    returning town_id, seq
),
noted as (
    insert into change (town_id, seq, entries, gone, added)
    select town_id, seq, entries, gone, added
    from unnest($91::integer[], $92::integer[], $93::bytea[], $94::bytea[]) as n(town_id, entries, gone, added)
    join numbered using (town_id)
)
-- word to the other processes, with the commit
select pg_notify('towngauge', told) from unnest($72::text[]) as told
