-- A register contains one address per person: a new one replaces the old one, for this organisation. Sign-in links are
-- sent to addresses, so a register from the API ($2) does not change the address of anybody who can sign in.
with known as materialized (
  select m.person_id, m.email, m.person_is_new
  from import_matches m
  where m.email_differs
    and not ($2 and exists (select from certvakt.identities i where i.person_id = m.person_id))
),
gone as (
  delete from certvakt.contact_points k
  using known
  where k.person_id = known.person_id and k.organisation_id = $1 and k.kind = 'email' and not known.person_is_new
)
insert into certvakt.contact_points (person_id, organisation_id, kind, address)
select person_id, $1, 'email', email from known
on conflict do nothing
