-- Inserts a mentor with a certification and a coordinator in each chapter, an administrator in each organisation,
-- mentors of two chapters, and a login for each of these people, whose subject is the person's id.
--
-- $1 chapters, $2 organisations and $3 mentors of two chapters, as JSON     $4 the code of a type, and the issuer of the logins
with chapter as (
  select * from jsonb_to_recordset($1)
    as c (id uuid, organisation_id uuid, mentor uuid, certification uuid, coordinator uuid)
),
organisation as (
  select * from jsonb_to_recordset($2) as o (id uuid, chapter_id uuid, administrator uuid)
),
wanderer as (
  select * from jsonb_to_recordset($3)
    as w (organisation_id uuid, certified_in uuid, elsewhere uuid, mentor uuid, certification uuid)
),
person as (
  insert into certvakt.people (id, name)
  select id, 'canary ' || id
  from (
    select mentor as id from chapter union all select coordinator from chapter
    union all select administrator from organisation union all select mentor from wanderer) p
  returning id
),
login as (
  insert into certvakt.identities (issuer, subject, person_id) select $4, id::text, id from person
),
member as (
  insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
  select organisation_id, id, mentor, 'mentor' from chapter
  union all select organisation_id, id, coordinator, 'coordinator' from chapter
  union all select id, chapter_id, administrator, 'org_admin' from organisation
  union all select organisation_id, certified_in, mentor, 'mentor' from wanderer
  union all select organisation_id, elsewhere, mentor, 'mentor' from wanderer
),
named as (
  insert into certvakt.person_names (person_id, organisation_id, name)
  select distinct person_id, organisation_id, 'canary ' || person_id
  from (
    select mentor as person_id, organisation_id from chapter union all select coordinator, organisation_id from chapter
    union all select administrator, id from organisation union all select mentor, organisation_id from wanderer) p
),
device as (
  insert into certvakt.contact_points (person_id, kind, address) select id, 'push', 'canary-' || id from person
),
type as (
  insert into certvakt.certification_types (organisation_id, code, name) select id, $4, 'canary' from organisation
)
insert into public.peer_mentor_certifications
  (id, organisation_id, chapter_id, peer_mentor_id, certification_type, external_id, expires_at)
select certification, organisation_id, id, mentor, $4, 'canary-' || certification, now() + interval '5 days'
from (
  select organisation_id, id, mentor, certification from chapter
  union all select organisation_id, certified_in, mentor, certification from wanderer) c
