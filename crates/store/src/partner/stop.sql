-- Stops sending to partner $2. A stop that needs a person does not become an outage, which would end automatically.
with before as (
  select p.stopped_by from certvakt.partners p where p.organisation_id = $1 and p.code = $2 for update
),
stopped as (
  update certvakt.partners p
  set stopped_by = $3, stopped_reason = $4, retry_at = now() + make_interval(secs => $5), failures = p.failures + 1,
    stopped_at = case when p.stopped_by = $3 then p.stopped_at else now() end
  from before
  where p.organisation_id = $1 and p.code = $2 and (before.stopped_by is null or before.stopped_by = 'outage' or $3 <> 'outage')
  returning before.stopped_by is distinct from $3 as is_new
)
select coalesce((select is_new from stopped), false) as "is_new!"
