-- Histories become rows faster, and past a transaction with an older snapshot nothing is lost.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

set local role certvakt_definer;

create or replace function certvakt.append_to_history(certification uuid, organisation uuid, history jsonb, entries jsonb) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  length integer := (select max(e.number) from certvakt.certification_renewal_events e where e.certification_id = certification);
  added jsonb := entries;
  written bigint;
begin
  if length is null then
    if (select o.has_renewal_events from certvakt.organisations o where o.id = organisation) is not true then
      -- A snapshot from before the first history was moved sees neither the rows nor that there are any; but nobody
      -- locks the organisation as it was then: that ends the transaction with a serialization failure.
      if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
        perform from certvakt.organisations o where o.id = organisation for share;
      end if;
      return history || entries;
    end if;
    length := 0;
    added := history || entries;
  end if;
  insert into certvakt.certification_renewal_events (certification_id, number, entry)
  select certification, length + e.number, e.entry from jsonb_array_elements(added) with ordinality e (entry, number)
  on conflict do nothing;
  get diagnostics written = row_count;
  if written < jsonb_array_length(added) then
    raise exception 'the history was moved to rows meanwhile' using errcode = 'serialization_failure', hint = 'Try again.';
  end if;
  return certvakt.newest(history || entries);
end
$$;

-- Whoever sets renewal_history to what it may hold beside its events changes nothing.
create or replace function certvakt.refuse_history_rewrite() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if new.renewal_history is distinct from (
      select jsonb_agg(newest.entry order by newest.number) from (
        select e.number, e.entry from certvakt.certification_renewal_events e
        where e.certification_id = old.id order by e.number desc limit 20) newest)
    and new.renewal_history is distinct from old.renewal_history then
    raise exception 'a history is append-only: what was written stays as it was written'
      using errcode = 'restrict_violation', hint = 'Change the date or the status: the entry comes of itself.';
  end if;
  return new;
end
$$;

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
      -- Said twice, so that no plan reads what was moved before.
      and not exists (
        select from certvakt.certification_renewal_events e where e.certification_id = c.id and e.certification_id > after)
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
  -- To write a certification costs more than to keep some entries twice until its next change does.
  update public.peer_mentor_certifications c set renewal_history = certvakt.newest(c.renewal_history)
  where c.id = any (picked) and jsonb_array_length(c.renewal_history) > 200;
  certifications := cardinality(picked);
  return next;
end
$$;
reset role;
