with person as (
  insert into certvakt.people (name) values ($1) returning id
),
member as (
  insert into certvakt.memberships (organisation_id, chapter_id, person_id, role) select $2, $3, person.id, $4 from person
),
address as (
  insert into certvakt.contact_points (person_id, kind, address)
  select person.id, 'email', $5 from person where $5::text is not null
)
select id from person
