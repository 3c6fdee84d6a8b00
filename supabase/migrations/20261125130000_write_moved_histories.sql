-- A history that is moved writes its certification, however short it is: a lock that has ended stops no
-- transaction with an older snapshot (repeatable read), which saw neither the rows nor that there are any, and
-- would add its entry to the field alone. A row that was written since ends it with a serialization failure.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

set local role certvakt_definer;
create or replace function certvakt.normalise_histories(organisation uuid, after uuid, batch integer)
returns table (last uuid, certifications bigint, entries bigint)
language plpgsql security definer set search_path = '' as $$
declare
  picked uuid[];
begin
  -- From now on a history that changes is moved by its change.
  update certvakt.organisations o set has_renewal_events = true where o.id = organisation and not o.has_renewal_events;
  -- What somebody is changing right now is moved by that, or found by the next pass.
  picked := array(
    select c.id from public.peer_mentor_certifications c
    where c.organisation_id = organisation and c.id > after and c.renewal_history <> '[]'
      and not exists (select from certvakt.certification_renewal_events e where e.certification_id = c.id)
    order by c.id limit batch for update skip locked);
  last := picked[cardinality(picked)];
  -- What was moved by its change between the look and the lock.
  picked := array(
    select p.id from unnest(picked) p (id)
    where not exists (select from certvakt.certification_renewal_events e where e.certification_id = p.id));
  insert into certvakt.certification_renewal_events (certification_id, number, entry)
  select c.id, e.number, e.entry
  from public.peer_mentor_certifications c, jsonb_array_elements(c.renewal_history) with ordinality e (entry, number)
  where c.id = any (picked);
  get diagnostics entries = row_count;
  update public.peer_mentor_certifications c
  set renewal_history = case
    when jsonb_array_length(c.renewal_history) > 20 then certvakt.newest(c.renewal_history)
    else c.renewal_history end
  where c.id = any (picked);
  certifications := cardinality(picked);
  return next;
end
$$;
reset role;
