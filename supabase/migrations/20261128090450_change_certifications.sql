-- The triggers of certifications. ARCHITECTURE.md shows their order and effects. Each event has one trigger, except that
-- append_only is separate, because it must also fire if session_replication_role is replica.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

create function certvakt.kinds_of_change(
  expires_before timestamptz, expires_after timestamptz, status_before text, status_after text, said text)
returns text[]
language sql immutable parallel safe set search_path = ''
begin atomic
  select array_remove(array[
    case
      when expires_after is not distinct from expires_before then null
      -- The caller's statement overrides the dates: a renewal can move to an earlier day, and a correction to a later one.
      when said in ('renewed', 'corrected', 'undone') then said
      when expires_after is null or expires_after > expires_before then 'renewed'
      else 'corrected' end,
    case
      when status_after = 'suspended' and said = 'withdrawn' then 'withdrawn'
      when (status_after = 'suspended') = (status_before = 'suspended') then null
      when status_after = 'suspended' then 'suspended'
      else 'reinstated' end], null);
end;
comment on function certvakt.kinds_of_change is 'Returns the kinds of a change of a certification, in the order of their entries.';

-- A new certification can come with a history.
create function certvakt.certifications_before_insert() returns trigger
language plpgsql set search_path = '' as $$
declare
  wrong record;
begin
  select e.number, f.fault into wrong
  from jsonb_array_elements(new.renewal_history) with ordinality e (entry, number)
  cross join lateral (select coalesce(certvakt.entry_fault(e.entry),
    case when certvakt.calling_role() = 'service_role' and e.entry ->> 'actor' is not null
      then 'no app says which person made a change' end) as fault) f
  where f.fault is not null limit 1;
  if found then
    raise exception 'entry % of the history is not valid: %', wrong.number, wrong.fault
      using errcode = 'check_violation', constraint = 'history_form';
  end if;
  return new;
end
$$;
create trigger before_insert before insert on public.peer_mentor_certifications
  for each row when (new.renewal_history <> '[]') execute function certvakt.certifications_before_insert();

-- renewal_history may be set to the entries that it must contain beside the rows of certification_renewal_events.
create function certvakt.refuse_history_rewrite() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if new.renewal_history is distinct from (
      select jsonb_agg(newest.entry order by newest.number) from (
        select e.number, e.entry from certvakt.certification_renewal_events e
        where e.certification_id = old.id order by e.number desc limit 20) newest)
    and new.renewal_history is distinct from old.renewal_history then
    raise exception 'a history is append-only: its entries cannot be changed'
      using errcode = 'restrict_violation', hint = 'Change the date or the status: the database adds the entry.';
  end if;
  return new;
end
$$;
create trigger append_only before update of renewal_history on public.peer_mentor_certifications
  for each row execute function certvakt.refuse_history_rewrite();
-- The trigger fires even if session_replication_role is replica.
alter table public.peer_mentor_certifications enable always trigger append_only;

create function certvakt.history_after(
  before public.peer_mentor_certifications, after public.peer_mentor_certifications, said jsonb)
returns jsonb
language plpgsql set search_path = '' as $$
declare
  kinds text[] := certvakt.kinds_of_change(before.expires_at, after.expires_at, before.status, after.status, said ->> 'kind');
  long integer := coalesce((select i.long_history from certvakt.installation i), 500);
  length integer;
  words jsonb;
  salt bytea;
  entry jsonb := before.renewal_history -> -1;
  entries jsonb := '[]';
  kind text;
  -- For changes by a register, the row in imports has the operator.
  operator text := case when said ->> 'source' is distinct from 'register' then certvakt.operator() end;
begin
  if kinds = '{}' then
    return after.renewal_history;
  end if;
  -- A later register, or an app, must not undo a decision to withdraw.
  if before.status = 'suspended' and entry ->> 'kind' = 'withdrawn' and kinds <> '{reinstated}' then
    raise exception 'this certification was withdrawn: reinstate it first, if that was a mistake'
      using errcode = 'restrict_violation', constraint = 'certification_withdrawn';
  end if;
  length := certvakt.length_of_history(before.id, before.renewal_history) + cardinality(kinds);
  if length > 10 * long then
    raise exception 'the history of this certification is full: it has % entries', length - cardinality(kinds)
      using errcode = 'program_limit_exceeded', constraint = 'history_full',
        hint = 'Find out what changes it so often; then raise certvakt.installation.long_history.';
  end if;
  foreach kind in array kinds loop
    words := null;
    salt := null;
    if said ->> 'evidence' is not null or said ->> 'note' is not null then
      words := jsonb_build_object('evidence', said ->> 'evidence', 'note', said ->> 'note');
    end if;
    if words is not null or operator is not null then
      salt := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
    end if;
    entry := certvakt.new_entry(said, kind, before.expires_at, after.expires_at,
      -- The stages of the notices in the cycle that the change ends.
      case when kind in ('renewed', 'withdrawn') then (
        select coalesce(jsonb_agg(t.stage order by t.first), '[]')
        from (
          select l.notification_type as stage, min(l.id) as first from public.cert_notification_log l
          where l.certification_id = before.id and l.sent_at >= coalesce((
            select max(c.changed_at) from certvakt.cycle_starts c
            where c.organisation_id = before.organisation_id and c.certification_id = before.id), before.created_at)
          group by l.notification_type) t) end,
      encode(sha256(salt || convert_to(certvakt.canonical(words), 'UTF8')), 'hex'), certvakt.entry_hash(entry));
    if certvakt.entry_fault(entry) is not null then
      raise exception 'the entry for this change is not valid: %', certvakt.entry_fault(entry)
        using errcode = 'check_violation', constraint = 'history_form';
    end if;
    if salt is not null then
      insert into certvakt.renewal_remarks (entry_id, certification_id, salt, evidence, note, operator)
      values ((entry ->> 'id')::uuid, before.id, salt, said ->> 'evidence', said ->> 'note', operator);
    end if;
    entries := entries || entry;
    -- A given id belongs to the first entry.
    said := said - 'id' - 'evidence' - 'note';
  end loop;
  if length > long then
    insert into certvakt.long_histories (certification_id) values (before.id) on conflict do nothing;
  end if;
  return certvakt.append_to_history(before.id, before.organisation_id, before.renewal_history, entries);
end
$$;
comment on function certvakt.history_after is
  'Returns the new value of renewal_history after a change, with an entry for each kind of change. Stores the evidence and the note.';

-- Nobody renews themselves with a register, and a coordinator's register changes nothing outside the chapters that they manage.
create function certvakt.refuse_register(said jsonb, mentor uuid, chapters uuid[]) returns void
language plpgsql set search_path = '' as $$
begin
  if said ->> 'source' is distinct from 'register' then
    return;
  end if;
  if said ->> 'actor' = mentor::text then
    raise exception 'nobody imports a change of their own certification'
      using errcode = 'insufficient_privilege', constraint = 'import_own_certification';
  end if;
  if jsonb_typeof(said -> 'chapters') = 'array' and not said -> 'chapters' ?& chapters::text[] then
    raise exception 'the register is limited to other chapters'
      using errcode = 'insufficient_privilege', constraint = 'import_other_chapter';
  end if;
end
$$;
comment on function certvakt.refuse_register is
  'Refuses a change by a register if the certification is that of the person who sent it, or of a chapter outside its limits.';

create function certvakt.certifications_before_update() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  said jsonb := coalesce(nullif(current_setting('certvakt.change', true), ''), '{}')::jsonb;
  seen public.peer_mentor_certifications := old;
begin
  if new.peer_mentor_id <> old.peer_mentor_id then
    raise exception 'a certification cannot be moved to another mentor: its notices went to this one'
      using errcode = 'restrict_violation', hint = 'Create a certification for the other mentor, and delete this one.';
  end if;
  if said ->> 'actor' is not null then
    perform certvakt.refuse_register(said, new.peer_mentor_id, array[old.chapter_id, new.chapter_id]);
  end if;
  if old.status = 'suspended' and (new.status <> 'suspended' or new.expires_at is distinct from old.expires_at) then
    perform certvakt.refuse_erased(array[new.peer_mentor_id]);
    perform certvakt.refuse_ended(array[new.organisation_id], array[new.peer_mentor_id]);
  end if;
  -- People may renew or withdraw an expired certification. They may not set the status from or to expired otherwise.
  if new.status <> old.status
    and (new.status = 'expired' or old.status = 'expired' and new.expires_at is not distinct from old.expires_at)
    and current_setting('role') = 'authenticated'
    and not (new.status = 'suspended' and coalesce(said ->> 'kind' = 'withdrawn', false)) then
    raise exception 'the date decides whether a certification has expired: renew it instead'
      using errcode = 'insufficient_privilege', constraint = 'certification_lapsed';
  end if;
  -- Only a suspension has a last day, and a withdrawal has none.
  if new.status <> 'suspended' or said ->> 'kind' = 'withdrawn' then
    new.suspended_until := null;
  end if;
  -- Moving a history to rows updates renewal_history alone. It does not change updated_at, because readers see the same.
  seen.renewal_history := new.renewal_history;
  if new.expires_at is distinct from old.expires_at or 'suspended' in (old.status, new.status) then
    new.renewal_history := certvakt.history_after(old, new, said);
  end if;
  if new is distinct from seen then
    new.updated_at := now();
  end if;
  -- The reinstatement of a withdrawn certification cannot be undone: that would leave it suspended, not withdrawn.
  if said ? 'form' and not certvakt.is_withdrawn(old.status, old.renewal_history) then
    insert into certvakt.change_results as r (made_by, form, certification_id, kind, version, expires_at, status, suspended_until)
    select p.id, (said ->> 'form')::uuid, old.id, said ->> 'kind', new.updated_at, old.expires_at, old.status, old.suspended_until
    from certvakt.people p where p.id = certvakt.current_person()
    on conflict (made_by, form, certification_id) do update set
      made_at = excluded.made_at, refusal = null, kind = excluded.kind, version = excluded.version, expires_at = excluded.expires_at,
      status = excluded.status, suspended_until = excluded.suspended_until, undone_at = null;
  end if;
  return new;
end
$$;
-- A suspended certification can be withdrawn, which changes no other column.
create trigger before_update before update on public.peer_mentor_certifications
  for each row when (
    new.status = 'suspended' or
    (old.organisation_id, old.chapter_id, old.peer_mentor_id, old.certification_type, old.external_id, old.issued_at,
      old.expires_at, old.status, old.suspended_until)
    is distinct from
    (new.organisation_id, new.chapter_id, new.peer_mentor_id, new.certification_type, new.external_id, new.issued_at,
      new.expires_at, new.status, new.suspended_until))
  execute function certvakt.certifications_before_update();

create function certvakt.certifications_after_insert() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  said jsonb := nullif(current_setting('certvakt.change', true), '')::jsonb;
begin
  -- Only a register that a person sent has limits.
  if said ->> 'actor' is not null then
    perform certvakt.refuse_register(said, n.peer_mentor_id, array[n.chapter_id]) from new_rows n;
  end if;
  perform certvakt.refuse_erased(array(select n.peer_mentor_id from new_rows n));
  perform certvakt.refuse_ended(array_agg(n.organisation_id), array_agg(n.peer_mentor_id)) from new_rows n;
  insert into certvakt.certification_changes (organisation_id, certification_id, kind, expires_after)
  select n.organisation_id, n.id, 'recorded', n.expires_at from new_rows n;
  insert into certvakt.certifications_elsewhere (chapter_id, certification_id, person_id)
  select m.chapter_id, n.id, m.person_id
  from new_rows n
  join certvakt.memberships m on m.person_id = n.peer_mentor_id and m.role = 'mentor'
  where m.organisation_id = n.organisation_id and m.chapter_id <> n.chapter_id
  on conflict do nothing;
  perform certvakt.update_changed_listings(array_agg(n.id), array_agg('recorded'::text)) from new_rows n;
  return null;
end
$$;
create trigger after_insert after insert on public.peer_mentor_certifications referencing new table as new_rows
  for each statement execute function certvakt.certifications_after_insert();

create function certvakt.certifications_after_update() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  said text := nullif(current_setting('certvakt.change', true), '')::jsonb ->> 'kind';
  changed uuid[];
  kinds text[];
  moved uuid[];
  retyped uuid[];
begin
  -- A withdrawal is recorded as a suspension. A status that was set from expired to active by hand is recorded as a
  -- reinstatement, so that the next run checks it against the date; another type is recorded as a correction, because it
  -- can have other lead times.
  -- plpgsql would keep a plan that suits the few rows of the session's first update; `execute` plans for these rows.
  execute $recorded$
  with recorded as (
    insert into certvakt.certification_changes (organisation_id, certification_id, kind, expires_before, expires_after)
    select n.organisation_id, n.id,
      case when k.kind = 'withdrawn' then 'suspended' when k.kind = 'undone' then 'corrected' when k.kind is not null then k.kind
        when n.certification_type <> o.certification_type then 'corrected' else 'reinstated' end, o.expires_at, n.expires_at
    from old_rows o join new_rows n on n.id = o.id
    cross join lateral (
      select (certvakt.kinds_of_change(o.expires_at, n.expires_at, o.status, n.status, $1))[1] as kind) k
    -- A run sets many from active to expired, which is not a change.
    where (n.expires_at is distinct from o.expires_at or n.status = 'suspended' or n.certification_type <> o.certification_type
        or n.status <> o.status and (o.status, n.status) <> ('active', 'expired'))
      and (k.kind is not null or o.status = 'expired' and n.status = 'active' or n.certification_type <> o.certification_type)
    returning certification_id, kind
  )
  select array_agg(r.certification_id), array_agg(r.kind) from recorded r
  $recorded$ into changed, kinds using said;
  if changed is not null then
    if said = 'undone' then
      -- Portals list the mentors of an undone change again after a while only.
      kinds := array_fill(said, array[cardinality(kinds)]);
    end if;
    perform certvakt.update_changed_listings(changed, kinds);
  end if;
  execute $moved$
    select array_agg(n.id) filter (where (n.organisation_id, n.chapter_id) <> (o.organisation_id, o.chapter_id)),
      array_agg(distinct n.peer_mentor_id)
        filter (where (n.organisation_id, n.certification_type) <> (o.organisation_id, o.certification_type))
    from old_rows o join new_rows n on n.id = o.id
    where (n.organisation_id, n.chapter_id, n.certification_type) <> (o.organisation_id, o.chapter_id, o.certification_type)
  $moved$ into moved, retyped;
  if moved is not null then
    delete from certvakt.certifications_elsewhere e where e.certification_id = any (moved);
    insert into certvakt.certifications_elsewhere (chapter_id, certification_id, person_id)
    select m.chapter_id, n.id, m.person_id
    from new_rows n
    join certvakt.memberships m on m.person_id = n.peer_mentor_id and m.role = 'mentor'
    where n.id = any (moved) and m.organisation_id = n.organisation_id and m.chapter_id <> n.chapter_id;
    update certvakt.contacts k set chapter_id = n.chapter_id from new_rows n
    where n.id = any (moved) and k.certification_id = n.id;
  end if;
  if retyped is not null then
    perform certvakt.update_listings(retyped, 'corrected');
  end if;
  return null;
end
$$;
create trigger after_update after update on public.peer_mentor_certifications
  referencing old table as old_rows new table as new_rows
  for each statement execute function certvakt.certifications_after_update();

create function certvakt.certifications_after_delete() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform certvakt.update_listings(array(select distinct o.peer_mentor_id from old_rows o), 'deleted');
  return null;
end
$$;
create trigger after_delete after delete on public.peer_mentor_certifications referencing old table as old_rows
  for each statement execute function certvakt.certifications_after_delete();

revoke all on function certvakt.kinds_of_change(timestamptz, timestamptz, text, text, text),
  certvakt.refuse_register(jsonb, uuid, uuid[]),
  certvakt.certifications_before_insert(), certvakt.refuse_history_rewrite(),
  certvakt.history_after(public.peer_mentor_certifications, public.peer_mentor_certifications, jsonb),
  certvakt.certifications_before_update(), certvakt.certifications_after_insert(), certvakt.certifications_after_update(),
  certvakt.certifications_after_delete() from public, anon, authenticated, service_role;
grant execute on function certvakt.kinds_of_change(timestamptz, timestamptz, text, text, text),
  certvakt.refuse_register(jsonb, uuid, uuid[]),
  certvakt.history_after(public.peer_mentor_certifications, public.peer_mentor_certifications, jsonb) to certvakt_definer;
alter function certvakt.refuse_history_rewrite() owner to certvakt_definer;
alter function certvakt.certifications_before_update() owner to certvakt_definer;
alter function certvakt.certifications_after_insert() owner to certvakt_definer;
alter function certvakt.certifications_after_update() owner to certvakt_definer;
alter function certvakt.certifications_after_delete() owner to certvakt_definer;

-- Sets certvakt.change for one update.
create function certvakt.change_certification(
  certification uuid, seen timestamptz, expires_at timestamptz, status text, suspended_until date, said jsonb)
returns boolean
language plpgsql set search_path = '' as $$
declare
  changed integer;
begin
  perform set_config('certvakt.change', said::text, true);
  update public.peer_mentor_certifications c
  set expires_at = change_certification.expires_at, status = change_certification.status,
    suspended_until = change_certification.suspended_until
  where c.id = certification and c.updated_at = seen;
  get diagnostics changed = row_count;
  perform set_config('certvakt.change', '', true);
  return changed > 0;
end
$$;
comment on function certvakt.change_certification is
  'Updates date, status and end of suspension of a certification with the privileges of the caller, if its updated_at is still `seen`. Returns false if it has changed, or if the caller may not change it. `said` may contain kind, id, evidence, note, completed_on, source and actor, and form: the id under which the caller can undo the change within a day.';
revoke all on function certvakt.change_certification(uuid, timestamptz, timestamptz, text, date, jsonb)
  from public, anon, authenticated, service_role;
grant execute on function certvakt.change_certification(uuid, timestamptz, timestamptz, text, date, jsonb)
  to certvakt_registrar, authenticated;
