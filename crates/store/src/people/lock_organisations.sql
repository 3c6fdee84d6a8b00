-- Takes the same locks as the merge of a register.
select from certvakt.organisations o
where o.id in (
  select m.organisation_id from certvakt.memberships m where m.person_id = $1
  union
  select c.organisation_id from public.peer_mentor_certifications c where c.peer_mentor_id = $1
  union
  select v.organisation_id from certvakt.person_changes v where v.person_id = $1)
order by o.id
for no key update
