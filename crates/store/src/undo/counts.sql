-- Counts what the undo of the import $1 changes: not the fields that stay.
with reverted as (
  select j.person_id, j.certification_id, f.field
  from certvakt.import_changes j cross join jsonb_object_keys(j.before - 'family_name') f (field)
  where j.import_id = $1 and not exists (select from undo_added a where a.id = j.certification_id)
  except
  select k.person_id, k.certification_id, k.field from undo_kept k
)
select (select count(*) from undo_added a where not a.is_noticed and not a.is_changed) as deleted,
  count(distinct r.certification_id) filter (where not r.is_personal) as reverted,
  count(distinct r.person_id) filter (where r.is_personal) as people
from (
  select r.*, r.field in ('name', 'language', 'email', 'phone', 'push_token') as is_personal from reverted r
) r
