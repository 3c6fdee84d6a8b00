-- The newest uploads that the caller may see, and the imports of 30 days by commands and by others ($1 in all).
select x.upload_id, x.import_id, x.organisation_id as "organisation_id!", x.state as "state!", x.result, x.at as "at!",
  x.operator, coalesce(
    (select n.name from certvakt.person_names n where n.person_id = x.person_id and n.organisation_id = x.organisation_id),
    (select p.name from certvakt.people p where p.id = x.person_id)) as sender
from (
  select u.id as upload_id, i.id as import_id, u.organisation_id, u.person_id,
    case when u.state = 'imported' and i.undone_at is not null then 'undone' else u.state end as state,
    case when u.state in ('imported', 'undone', 'refused') then u.result end as result, u.created_at as at,
    null as operator
  from certvakt.uploads u
  left join certvakt.imports i on i.id = (u.result ->> 'import')::bigint
  where u.state <> 'waiting'
  union all
  select null, i.id, i.organisation_id, i.person_id, case when i.undone_at is null then 'imported' else 'undone' end,
    jsonb_build_object('added', i.added, 'renewed', i.renewed, 'corrected', i.corrected, 'rejected', i.rejected), i.finished_at, i.operator
  from certvakt.imports i
  where i.finished_at > now() - interval '30 days'
    and not exists (select from certvakt.uploads u where (u.result ->> 'import')::bigint = i.id)
  order by at desc, upload_id, import_id
  limit $1
) x
order by x.at desc, x.upload_id, x.import_id
