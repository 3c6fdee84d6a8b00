-- Enrols the mentors who are not enrolled yet, and returns them and those who are already enrolled with the same consent.
-- The others need an error of their own. $1 organisation, $2 partner, $3 mentors, $4 keys, $5 consents, $6 time
with asked as (
  select a.person_id, a.partner_key, a.consents from unnest($3::uuid[], $4::text[], $5::boolean[]) as a (person_id, partner_key, consents)
),
before as (
  select a.person_id, a.partner_key
  from asked a
  join certvakt.listings l
    on l.organisation_id = $1 and l.partner = $2 and l.partner_key = a.partner_key and l.person_id = a.person_id
  where a.consents is null or a.consents = (l.listing_consent_at is not null)
),
enrolled as (
  insert into certvakt.listings (organisation_id, partner, partner_key, person_id, listing_consent_at)
  select $1, $2, a.partner_key, a.person_id, case when a.consents then $6::timestamptz end from asked a
  on conflict do nothing
  returning person_id, partner_key
)
select person_id as "person_id!", partner_key as "partner_key!", true as "is_new!" from enrolled
union all
select person_id, partner_key, false from before
