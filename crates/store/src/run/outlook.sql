-- An upper bound for the notices that a run will record, and the number that it may record without approval: the exact
-- limit, or a lower number if that suffices. Reads little more than the dates in an index.
--
-- $1 organisation   $2 snapshot of the last complete run, or null to read everything
-- $3..$4 from and before: the expiries that came due since the last complete run, as ranges that do not overlap
-- $5 limit as a number   $6 limit as a percentage of the certifications that are valid from $7 on
with candidates as materialized (
  select
    (select count(*)
     from unnest($3::timestamptz[], $4::timestamptz[]) as s(read_from, read_before)
     join public.peer_mentor_certifications c
       on c.organisation_id = $1 and c.expires_at >= s.read_from and c.expires_at < s.read_before)
    + (select count(*) from certvakt.certification_changes k
       where k.organisation_id = $1 and k.changed_in >= pg_snapshot_xmin($2::text::pg_snapshot))
    + (select count(*) from certvakt.deliveries d
       where d.organisation_id = $1 and d.cancelled_in >= pg_snapshot_xmin($2::text::pg_snapshot)) as number
)
select number as "candidates!",
  greatest($5::bigint, case when number > $5 then (
    select count(*) * $6::int / 100 from (
      select from public.peer_mentor_certifications c
      where c.organisation_id = $1 and c.expires_at >= $7
      union all
      select from public.peer_mentor_certifications c
      where c.organisation_id = $1 and c.expires_at is null
      limit (number * 100 + $6::int - 1) / nullif($6::int, 0)
    ) valid) end) as "record_limit!"
from candidates
