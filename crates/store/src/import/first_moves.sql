-- Returns three dates that move. $1 is the organisation's time zone, $2 whether day and month must be exchanged.
select m.line, (m.expires_before at time zone $1)::date as before, (m.expires_at at time zone $1)::date as after
from import_matches m
where m.expires_before is not null and m.expires_at is distinct from m.expires_before
  and (not $2 or to_char(m.expires_before at time zone $1, 'YYYY-MM-DD') = to_char(m.expires_at at time zone $1, 'YYYY-DD-MM'))
order by m.line limit 3
