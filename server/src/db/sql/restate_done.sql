-- takes back what was looked at; what a writer added meanwhile stays to be looked at
update session set lacks_agent = lacks_agent - $3, lacks_role = lacks_role - $4,
    lacks_rig = lacks_rig - $5
where town_id = $1 and session = $2
