-- Reverts names and languages of people, except those that were changed since. $2 is the organisation.
with reverted as (
  select j.person_id, j.before ->> 'name' as name, j.before ->> 'family_name' as family_name, j.before ->> 'language' as locale,
    j.before ? 'name' and not exists (
      select from undo_kept k where k.person_id = j.person_id and k.field = 'name') as has_name,
    j.before ? 'language' and not exists (
      select from undo_kept k where k.person_id = j.person_id and k.field = 'language') as has_locale
  from certvakt.import_changes j
  where j.import_id = $1 and j.before ?| array['name', 'language']
),
unnamed as (
  delete from certvakt.person_names n
  using reverted r
  where n.person_id = r.person_id and n.organisation_id = $2 and r.has_name and r.name is null
)
update certvakt.person_names n
set name = case when r.has_name then r.name else n.name end,
  family_name = case when r.has_name then r.family_name else n.family_name end,
  locale = case when r.has_locale then r.locale else n.locale end
from reverted r
where n.person_id = r.person_id and n.organisation_id = $2
  and (r.has_locale and not r.has_name or r.has_name and r.name is not null)
