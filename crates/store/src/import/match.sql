-- Matches each row with its certification and its mentor, and computes the new values. $2 and $3 are the chapter and the
-- type of rows that name none.
-- The id in a register also identifies the mentor, if the register has no ids of people: a certification of another type
-- with the same id belongs to the same person.
create temporary table import_matches on commit drop as
select r.line, r.external_id, r.replaces, r.name, r.family_name, r.emails, r.phones, r.locale, r.push_token,
  c.id as certification_id,
  coalesce(r.chapter_id, $2) as chapter_id, coalesce(r.certification_type, $3) as certification_type,
  coalesce(known.id, k.person_id, certvakt.uuid_v7()) as person_id,
  known.id is null as person_is_new,
  coalesce(r.issued_at, c.issued_at) as issued_at,
  c.expires_at as expires_before,
  -- A suspended row without a date does not change the date, and no register reinstates a withdrawn certification.
  case
    when withdrawn.is_so then c.expires_at
    when r.expires_at is null and r.status in ('suspended', 'over') then c.expires_at
    else r.expires_at
  end as expires_at,
  becomes.status,
  case
    when withdrawn.is_so then c.suspended_until
    when becomes.status <> 'suspended' then null
    when r.suspended_until > '-infinity' then r.suspended_until
    -- The register has a column for the end of a suspension, and this one has none.
    when r.suspended_until is not null and r.status = 'suspended' then null
    else c.suspended_until
  end as suspended_until,
  c.status as status_before, c.issued_at as issued_before, c.suspended_until as suspended_until_before,
  c.chapter_id as chapter_before, c.chapter_id is distinct from coalesce(r.chapter_id, $2) as moved,
  -- A register that does not separate the parts of the same name leaves the family name.
  r.name is not null and (n.name is distinct from r.name
    or r.family_name is not null and n.family_name is distinct from r.family_name) as name_differs,
  r.email_reason is null as emails_are_complete,
  -- A new list of addresses replaces the old one. If one of them could not be read, the others are only added.
  case
    when r.emails is null then false
    when known.id is null then true
    -- Sign-in links are sent to addresses, so a register from the API ($4) does not change the address of anybody who can
    -- sign in.
    when $4 and exists (select from certvakt.identities l where l.person_id = known.id) then false
    when r.email_reason is null then (
      select array_agg(lower(p.address) order by lower(p.address)) from certvakt.contact_points p
      where p.person_id = known.id and p.organisation_id = $1 and p.kind = 'email')
      is distinct from (select array_agg(a order by a) from unnest(string_to_array(lower(r.emails), ' ')) a)
    else exists (
      select from unnest(string_to_array(lower(r.emails), ' ')) a
      where not exists (
        select from certvakt.contact_points p
        where p.person_id = known.id and p.organisation_id = $1 and p.kind = 'email' and lower(p.address) = a))
  end as email_differs,
  case
    when r.phones is null then false
    when known.id is null then true
    else exists (
      select from unnest(string_to_array(r.phones, ' ')) a
      where not exists (
        select from certvakt.contact_points p
        where p.person_id = known.id and p.organisation_id = $1 and p.kind = 'phone' and p.address = a))
      or r.phone_reason is null and exists (
        select from certvakt.contact_points p
        where p.person_id = known.id and p.organisation_id = $1 and p.kind = 'phone'
          and p.address <> all (string_to_array(r.phones, ' ')))
  end as phone_differs,
  r.phone_reason is null as phones_are_complete,
  -- The language is stored with the organisation's name for the person.
  r.locale is not null and n.locale is distinct from r.locale and coalesce(r.name, n.name) is not null as locale_differs,
  -- A device belongs to the person who signed in on it; no register can change that.
  r.push_token is not null and not exists (
    select from certvakt.contact_points p
    where p.kind = 'push' and p.address = r.push_token
      and (p.organisation_id is null or p.organisation_id = $1 and p.person_id = known.id)) as push_token_differs
from import_rows r
left join public.peer_mentor_certifications c
  on c.organisation_id = $1 and c.external_id = r.external_id and c.certification_type = coalesce(r.certification_type, $3)
left join certvakt.register_suspensions g on g.certification_id = c.id
-- Empty if the rows have no other key of their person than the id of one certification.
left join import_people k on k.key = coalesce(r.person_id, r.external_id)
left join lateral (
  select o.peer_mentor_id from public.peer_mentor_certifications o
  where c.id is null and k.key is null and o.organisation_id = $1 and o.external_id = r.external_id
  order by o.certification_type limit 1
) other on true
cross join lateral (
  select coalesce(c.peer_mentor_id, case when not k.is_new then k.person_id end, other.peer_mentor_id) as id
) known
-- `case`, not `and`: PostgreSQL would call the function where the status is null, which is so for every new row.
cross join lateral (
  select case when c.status = 'suspended' then certvakt.is_withdrawn(c.status, c.renewal_history) else false end as is_so
) withdrawn
cross join lateral (
  select case
    when withdrawn.is_so then c.status
    when c.id is null then case when r.status = 'over' then 'suspended' else coalesce(r.status, 'active') end
    when r.status = 'suspended' then 'suspended'
    -- The suspension in the register has ended, if one of the certification has.
    when r.status = 'over' and c.status <> 'suspended' and not exists (
      select from certvakt.certification_changes k
      where k.organisation_id = $1 and k.certification_id = c.id and k.kind = 'reinstated') then 'suspended'
    -- A column for the end of a suspension ends the suspensions that had an end.
    when c.status = 'suspended' then coalesce(nullif(r.status, 'over'),
      case
        when r.suspended_until = '-infinity' and c.suspended_until is not null then 'active'
        -- It was suspended because it was missing from the register.
        when g.entry_id::text = c.renewal_history -> -1 ->> 'id' then 'active'
      end, 'suspended')
    when c.status = 'expired' and (r.expires_at is null or r.expires_at > c.expires_at) then 'active'
    else c.status
  end as status
) becomes
left join certvakt.person_names n on n.person_id = known.id and n.organisation_id = $1
where r.reject_reason is null and r.duplicate_of is null
