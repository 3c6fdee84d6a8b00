-- Reverts addresses, phone numbers and devices of people, except those that were changed since. $2 is the organisation.
-- Sign-in links are sent to addresses, so a request through the API ($3) does not change those of anybody who can sign in.
with reverted as (
  select j.person_id, f.field as kind, j.before -> f.field as before, j.after -> f.field as after
  from certvakt.import_changes j
  cross join (values ('email'), ('phone')) f (field)
  where j.import_id = $1 and j.before ? f.field
    and not exists (select from undo_kept k where k.person_id = j.person_id and k.field = f.field)
    and not ($3 and f.field = 'email' and exists (select from certvakt.identities i where i.person_id = j.person_id))
),
gone as (
  delete from certvakt.contact_points p
  using reverted r
  where p.person_id = r.person_id and p.organisation_id = $2 and p.kind = r.kind and not r.before ? p.address
),
devices as (
  delete from certvakt.contact_points p
  using certvakt.import_changes j
  where j.import_id = $1 and p.person_id = j.person_id and p.organisation_id = $2 and p.kind = 'push'
    and p.address = j.after ->> 'push_token'
)
insert into certvakt.contact_points (person_id, organisation_id, kind, address)
select r.person_id, $2, r.kind, a from reverted r cross join jsonb_array_elements_text(r.before) a
on conflict do nothing
