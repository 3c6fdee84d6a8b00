-- Suspends the missing certifications; they become active when they are in the register again. $1 is whether they are
-- withdrawn instead, which no register undoes.
with suspended as (
  update public.peer_mentor_certifications c set status = 'suspended', suspended_until = null
  from import_missing m where c.id = m.id
  returning c.id, (c.renewal_history -> -1 ->> 'id')::uuid as entry_id
)
insert into certvakt.register_suspensions (certification_id, entry_id)
select id, entry_id from suspended where not $1
on conflict (certification_id) do update set entry_id = excluded.entry_id
