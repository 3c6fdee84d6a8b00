-- The names in the register become the names that its organisation ($1) uses.
with added as (
  insert into certvakt.people (id)
  select person_id from import_matches where person_is_new
),
renamed as (
  update certvakt.person_names n
  set name = m.name, family_name = m.family_name
  from import_matches m
  where n.person_id = m.person_id and n.organisation_id = $1 and not m.person_is_new and m.name_differs
)
insert into certvakt.person_names (person_id, organisation_id, name, family_name)
select person_id, $1, name, family_name from import_matches
where name_differs
on conflict do nothing
