-- What the caller may do with the mentor of certification $1 and with their own last change of it, and what happened to the mentor.
select (
    select r.form from certvakt.change_results r
    where r.certification_id = c.id and r.version = c.updated_at and r.made_by = (select certvakt.current_person())
      and r.made_at > now() - interval '1 day'
    order by r.made_at desc limit 1) as "undo_form?",
  (
    select (
      select count(*) from certvakt.change_results o
      where o.made_by = r.made_by and o.form = r.form and o.version is not null)
    from certvakt.change_results r
    where r.certification_id = c.id and r.version = c.updated_at and r.made_by = (select certvakt.current_person())
      and r.made_at > now() - interval '1 day'
    order by r.made_at desc limit 1) as "undo_number?",
  (
    select v.chapter_before from certvakt.person_changes v
    where v.person_id = c.peer_mentor_id and v.organisation_id = c.organisation_id and v.kind = 'moved' and v.chapter_after = c.chapter_id
      and v.made_by = (select certvakt.current_person()) and v.made_at > now() - interval '1 day'
      and not exists (
        select from certvakt.person_changes later
        where later.person_id = v.person_id and later.organisation_id = v.organisation_id and later.made_at > v.made_at)) as "moved_from?",
  c.peer_mentor_id as mentor_id, c.organisation_id,
  certvakt.may_end(c.peer_mentor_id, c.organisation_id) as "may_end!",
  certvakt.may_correct_addresses(c.id) as "may_correct_addresses!",
  exists (select from certvakt.listings_of(c.id)) as "has_listings!",
  certvakt.administers(c.organisation_id) as "is_administrator!",
  not exists (
    select from certvakt.memberships m
    where m.person_id = (select certvakt.current_person()) and m.organisation_id = c.organisation_id) as "is_of_app!",
  certvakt.may_erase(c.peer_mentor_id, c.organisation_id) as "may_erase!",
  exists (
    select from certvakt.memberships m
    where m.person_id = c.peer_mentor_id and m.chapter_id = c.chapter_id and m.role = 'mentor') as "is_member!",
  (
    select coalesce(jsonb_agg(jsonb_build_object(
      'kind', v.kind, 'made_at', v.made_at, 'made_by', v.made_by,
      'before', (select h.name from certvakt.chapters h where h.id = v.chapter_before),
      'after', (select h.name from certvakt.chapters h where h.id = v.chapter_after)) order by v.made_at, v.id), '[]')
    from certvakt.person_changes v
    where v.person_id = c.peer_mentor_id and v.organisation_id = c.organisation_id) as "changes!: Json<Vec<PersonChange>>"
from public.peer_mentor_certifications c
where c.id = $1
