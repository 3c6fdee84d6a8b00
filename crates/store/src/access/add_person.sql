with person as (
  insert into certvakt.people default values returning id
),
named as (
  insert into certvakt.person_names (person_id, organisation_id, name) select person.id, $2, $1 from person
),
member as (
  insert into certvakt.memberships (organisation_id, chapter_id, person_id, role) select $2, $3, person.id, $4 from person
),
address as (
  insert into certvakt.contact_points (person_id, organisation_id, kind, address)
  select person.id, $2, 'email', $5 from person where $5::text is not null
)
select id from person
