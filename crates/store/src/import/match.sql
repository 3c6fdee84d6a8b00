-- Matches each row with its certification and its mentor, and computes the new values.
-- The id in a register also identifies the mentor: a certification of another type with the same id belongs to the same
-- person.
create temporary table import_matches on commit drop as
select r.line, r.external_id, r.name, r.email, r.push_token,
  c.id as certification_id,
  coalesce(c.peer_mentor_id, other.peer_mentor_id, certvakt.uuid_v7()) as person_id,
  coalesce(c.peer_mentor_id, other.peer_mentor_id) is null as person_is_new,
  coalesce(r.issued_at, c.issued_at) as issued_at,
  c.expires_at as expires_before,
  -- A suspended row without a date does not change the date, and no register reinstates a withdrawn certification.
  case
    when withdrawn.is_so then c.expires_at
    when r.expires_at is null and r.status = 'suspended' then c.expires_at
    else r.expires_at
  end as expires_at,
  case
    when withdrawn.is_so then c.status
    when c.id is null then coalesce(r.status, 'active')
    when r.status = 'suspended' then 'suspended'
    when c.status = 'suspended' then coalesce(r.status, 'suspended')
    when c.status = 'expired' and (r.expires_at is null or r.expires_at > c.expires_at) then 'active'
    else c.status
  end as status,
  c.status as status_before, c.issued_at as issued_before, c.chapter_id is distinct from $2 as moved,
  r.name is not null and n.name is distinct from r.name as name_differs,
  r.email is not null and not exists (
    select from certvakt.contact_points k
    where k.person_id = known.id and k.organisation_id = $1 and k.kind = 'email' and lower(k.address) = lower(r.email)) as email_differs,
  -- A device belongs to the person who signed in on it; no register can change that.
  r.push_token is not null and not exists (
    select from certvakt.contact_points k
    where k.kind = 'push' and k.address = r.push_token
      and (k.organisation_id is null or k.organisation_id = $1 and k.person_id = known.id)) as push_token_differs
from import_rows r
left join public.peer_mentor_certifications c
  on c.organisation_id = $1 and c.external_id = r.external_id and c.certification_type = $3
left join lateral (
  select o.peer_mentor_id from public.peer_mentor_certifications o
  where c.id is null and o.organisation_id = $1 and o.external_id = r.external_id
  order by o.certification_type limit 1
) other on true
cross join lateral (select coalesce(c.peer_mentor_id, other.peer_mentor_id) as id) known
-- `case`, not `and`: PostgreSQL would call the function where the status is null, which is so for every new row.
cross join lateral (
  select case when c.status = 'suspended' then certvakt.is_withdrawn(c.status, c.renewal_history) else false end as is_so
) withdrawn
left join certvakt.person_names n on n.person_id = known.id and n.organisation_id = $1
where r.reject_reason is null
