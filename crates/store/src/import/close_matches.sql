-- New people who have the name of a known person of the organisation ($1) that is not in the file, and those who are a known
-- person by a decision about their key ($3): the first rows ($2), each with the known person. Within limits ($4), only people whose
-- chapters are all within them.
select m.line, m.key, m.external_id, m.name, k.person_id, k.name as known_name,
  array(
    select distinct c.external_id from public.peer_mentor_certifications c
    where c.organisation_id = $1 and c.peer_mentor_id = k.person_id and c.external_id is not null
    order by c.external_id) as known_ids,
  array(
    select distinct h.name from public.peer_mentor_certifications c join certvakt.chapters h on h.id = c.chapter_id
    where c.organisation_id = $1 and c.peer_mentor_id = k.person_id
    order by h.name) as known_chapters
from (
  select m.line, m.external_id, m.person_id, m.name, certvakt.folded(m.name) as folded, k.key, k.key = any ($3) as is_decided
  from import_matches m join import_rows r on r.line = m.line
  cross join lateral (select coalesce(r.person_id, r.external_id) as key) k
  where m.name is not null and (m.person_is_new or k.key = any ($3))
) m
join certvakt.person_names k on k.organisation_id = $1 and k.name_folded = m.folded
where ($4::uuid[] is null or exists (select from import_manageable p where p.person_id = k.person_id))
  and case when m.is_decided then k.person_id = m.person_id
  else not exists (select from import_matches o where o.person_id = k.person_id) end
order by m.line, k.person_id
limit $2
