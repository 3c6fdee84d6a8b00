-- The chapters that the caller manages, by name, with their coordinators and the number of their mentors.
select h.id, h.organisation_id, h.name,
  certvakt.administers(h.organisation_id) as "is_administered!",
  s.mentors as "mentors!",
  array(
    select coalesce(n.name, p.name, '–')
    from certvakt.memberships m
    join certvakt.people p on p.id = m.person_id
    left join certvakt.person_names n on n.person_id = m.person_id and n.organisation_id = m.organisation_id
    where m.organisation_id = h.organisation_id and m.chapter_id = h.id and m.role = 'coordinator'
    order by
      coalesce(certvakt.alphabetical(n.name, n.family_name), certvakt.alphabetical(coalesce(p.name, '–'), p.family_name))) as "coordinators!",
  exists (select from certvakt.chapters_without_coordinator w where w.chapter_id = h.id) as "lacks_coordinator!"
from certvakt.chapters h
join certvakt.chapter_sizes() s on s.chapter_id = h.id
order by h.organisation_id, certvakt.alphabetical(h.name), h.id
