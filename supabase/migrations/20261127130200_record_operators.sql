-- Who ran an administrative command is recorded where its effect is: the account of the operating system and the host,
-- which the command line says in `certvakt.operator` for each of its transactions.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

create function certvakt.operator() returns text
language sql stable parallel safe set search_path = ''
return case when certvakt.calling_role() in ('certvakt_registrar', 'certvakt_worker')
  then nullif(current_setting('certvakt.operator', true), '') end;
comment on function certvakt.operator is
  'Who runs the command that makes this transaction, as account@host; null: no command does.';
revoke all on function certvakt.operator() from public, anon, authenticated, service_role;
-- The defaults below are worked out for everybody who writes such a row.
grant execute on function certvakt.operator() to certvakt_worker, certvakt_registrar, certvakt_doorkeeper, certvakt_definer;
grant execute on function certvakt.calling_role() to certvakt_doorkeeper;

do $$
declare
  kept text;
begin
  foreach kept in array array['access_closures', 'runs', 'imports', 'invitations', 'listing_consents'] loop
    execute format('alter table certvakt.%I add column operator text', kept);
    execute format('alter table certvakt.%I alter column operator set default certvakt.operator()', kept);
    execute format('comment on column certvakt.%I.operator is %L', kept,
      'Who ran the command that made it, as account@host; null: no command did.');
  end loop;
end
$$;
alter table certvakt.access_closures add column opened_operator text;
comment on column certvakt.access_closures.opened_operator is 'Who ran the command that opened it again, as account@host.';
grant update (opened_operator) on certvakt.access_closures to certvakt_registrar;

alter table certvakt.people add column erased_by text;
comment on column certvakt.people.erased_by is 'Who ran the command that erased them, as account@host.';
grant update (erased_by) on certvakt.people to certvakt_registrar;
alter table certvakt.listings add column approved_by text;
comment on column certvakt.listings.approved_by is
  'Who approved of the removal that approved_number names, as account@host.';
grant update (approved_by) on certvakt.listings to certvakt_registrar;
alter table certvakt.partner_reports add column settled_by text;
comment on column certvakt.partner_reports.settled_by is 'Who took or dismissed what waited, as account@host.';
grant update (settled_by) on certvakt.partner_reports to certvakt_registrar;
alter table certvakt.partners add column switched_by text;
comment on column certvakt.partners.switched_by is 'Who last switched it to a stage or off, as account@host.';
grant update (switched_by) on certvakt.partners to certvakt_registrar;
alter table certvakt.renewal_words add column operator text;
comment on column certvakt.renewal_words.operator is
  'Who ran the command that made the change, as account@host; no part of the digest. Null: no command did.';

set local role certvakt_definer;
create or replace function certvakt.keep_history() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  said jsonb := coalesce(nullif(current_setting('certvakt.change', true), ''), '{}')::jsonb;
  kinds text[] := certvakt.kinds_of_change(old.expires_at, new.expires_at, old.status, new.status, said ->> 'kind');
  long integer := coalesce((select i.long_history from certvakt.installation i), 500);
  length integer := certvakt.length_of_history(old.id, old.renewal_history) + cardinality(kinds);
  words jsonb;
  salt bytea;
  entry jsonb := old.renewal_history -> -1;
  entries jsonb := '[]';
  kind text;
  -- A register's own row in imports says who took it in.
  operator text := case when said ->> 'source' is distinct from 'register' then certvakt.operator() end;
begin
  if kinds = '{}' then
    return new;
  end if;
  -- The register of another day, or an app, does not undo what somebody decided.
  if old.status = 'suspended' and entry ->> 'kind' = 'withdrawn' and kinds <> '{reinstated}' then
    raise exception 'this certification was withdrawn: reinstate it first, if that was a mistake'
      using errcode = 'restrict_violation', constraint = 'certification_withdrawn';
  end if;
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
    entry := certvakt.new_entry(said, kind, old.expires_at, new.expires_at,
      -- What was told in the cycle that it closes.
      case when kind in ('renewed', 'withdrawn') then (
        select coalesce(jsonb_agg(t.stage order by t.first), '[]')
        from (
          select l.notification_type as stage, min(l.id) as first from public.cert_notification_log l
          where l.certification_id = old.id and l.sent_at >= coalesce((
            select max(c.changed_at) from certvakt.certification_changes c
            where c.organisation_id = old.organisation_id and c.certification_id = old.id
              and c.kind in ('recorded', 'renewed')), old.created_at)
          group by l.notification_type) t) end,
      encode(sha256(salt || convert_to(certvakt.canonical(words), 'UTF8')), 'hex'), certvakt.entry_hash(entry));
    if certvakt.entry_fault(entry) is not null then
      raise exception 'this is no entry of a history: %', certvakt.entry_fault(entry)
        using errcode = 'check_violation', constraint = 'history_form';
    end if;
    if salt is not null then
      insert into certvakt.renewal_words (entry_id, certification_id, salt, evidence, note, operator)
      values ((entry ->> 'id')::uuid, old.id, salt, said ->> 'evidence', said ->> 'note', operator);
    end if;
    entries := entries || entry;
    -- An id given is the first entry's.
    said := said - 'id' - 'evidence' - 'note';
  end loop;
  new.renewal_history := certvakt.append_to_history(old.id, old.organisation_id, old.renewal_history, entries);
  if length > long then
    insert into certvakt.long_histories (certification_id) values (old.id) on conflict do nothing;
  end if;
  return new;
end
$$;
reset role;
