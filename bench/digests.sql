-- Chapters below the first one, each with a coordinator who gets a digest every day. The certifications are evenly in them.
-- No trigger fires.
--
-- :coordinators

insert into certvakt.chapters (id, organisation_id, parent_id, slug, name)
select md5('chapter ' || n)::uuid, c.organisation_id, c.id, 'chapter-' || n, 'Lag ' || n
from certvakt.chapters c, generate_series(1, :coordinators) n;
insert into certvakt.people (id, name) select md5('coordinator ' || n)::uuid, 'Koordinator ' || n from generate_series(1, :coordinators) n;
insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
select c.organisation_id, c.id, md5('coordinator ' || n)::uuid, 'coordinator'
from generate_series(1, :coordinators) n join certvakt.chapters c on c.id = md5('chapter ' || n)::uuid;
insert into certvakt.contact_points (person_id, kind, address)
select md5('coordinator ' || n)::uuid, 'email', 'coordinator-' || n || '@example.org' from generate_series(1, :coordinators) n;
insert into certvakt.digest_settings (person_id, schedule) select md5('coordinator ' || n)::uuid, 'daily' from generate_series(1, :coordinators) n;
update public.peer_mentor_certifications
set chapter_id = md5('chapter ' || 1 + substr(external_id, 3)::bigint % :coordinators)::uuid where external_id like 'M-%';
