-- Enrols the mentors who are not enrolled yet. Returns the positions of these and of those who are already enrolled with the
-- same consent; the others need an error of their own.
-- $1 organisation, $2 partner, $3 mentors, $4 keys, $5 consents, $6 time
with asked as (
  select a.position, a.person_id, a.partner_key, a.consents
  from unnest($3::uuid[], $4::text[], $5::boolean[]) with ordinality as a (person_id, partner_key, consents, position)
),
before as (
  select a.position
  from asked a
  join certvakt.listings l
    on l.organisation_id = $1 and l.partner = $2 and l.partner_key = a.partner_key and l.person_id = a.person_id
  where a.consents is null or a.consents = (l.listing_consent_at is not null)
),
enrolled as (
  insert into certvakt.listings (organisation_id, partner, partner_key, person_id, listing_consent_at)
  select $1, $2, a.partner_key, a.person_id, case when a.consents then $6::timestamptz end from asked a
  -- The trigger records the consent of each row that is tried, so this must not try one that conflicts.
  where not exists (
      select from certvakt.listings l
      where l.organisation_id = $1 and l.partner = $2 and (l.partner_key = a.partner_key or l.person_id = a.person_id))
    and not exists (
      select from asked b where b.position < a.position and (b.partner_key = a.partner_key or b.person_id = a.person_id))
  on conflict do nothing
  returning person_id, partner_key
)
select a.position as "position!", true as "is_new!" from enrolled join asked a using (person_id, partner_key)
union all
select position, false from before
