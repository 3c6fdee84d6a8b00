-- Suspends the added certifications whose mentors have had notices. A register that contains them brings them back.
with suspended as (
  update public.peer_mentor_certifications c set status = 'suspended', suspended_until = null
  from undo_added a
  where c.id = a.id and a.is_noticed and not a.is_changed and c.status <> 'suspended'
  returning c.id, (c.renewal_history -> -1 ->> 'id')::uuid as entry_id
)
insert into certvakt.register_suspensions (certification_id, entry_id)
select id, entry_id from suspended
on conflict (certification_id) do update set entry_id = excluded.entry_id
