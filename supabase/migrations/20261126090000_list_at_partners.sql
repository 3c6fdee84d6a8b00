-- Partners, whose portals publish which mentors one can contact. Who is listed is a fact, worked out from
-- consent and certifications; each of its transitions is an event, written with what causes it.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

create table certvakt.partners (
  organisation_id uuid not null references certvakt.organisations (id) on delete cascade,
  code text not null constraint partners_code_form check (code ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
  stage text constraint partners_stage_known check (stage in ('staging', 'live')),
  contract text constraint partners_contract_form check (contract ~ '^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$'),
  switched_at timestamptz,
  told_stage text constraint partners_told_stage_known check (told_stage in ('staging', 'live')),
  removal_limit bigint not null default 50 constraint partners_removal_limit_range check (removal_limit >= 1),
  stopped_at timestamptz,
  stopped_by text constraint partners_stopped_by_known check (stopped_by in ('contract', 'sign-in', 'outage')),
  stopped_reason text constraint partners_stopped_reason_form check (length(stopped_reason) between 1 and 500),
  failures bigint not null default 0,
  retry_at timestamptz,
  alerted_at timestamptz,
  held_at timestamptz,
  held_alerted_at timestamptz,
  reconciled_at timestamptz,
  read_tried_at timestamptz,
  unread_since timestamptz,
  unread_reason text constraint partners_unread_reason_form check (length(unread_reason) between 1 and 500),
  unknown_shown bigint not null default 0,
  looked_on date,
  created_at timestamptz not null default now(),
  primary key (organisation_id, code),
  constraint partners_on_whole check (stage is null or contract is not null),
  constraint partners_stopped_whole check (num_nulls(stopped_at, stopped_by, stopped_reason) in (0, 3)),
  constraint partners_unread_whole check ((unread_since is null) = (unread_reason is null))
);
comment on column certvakt.partners.stage is 'To which of the portal''s addresses events are sent; null: none, they are kept.';
comment on column certvakt.partners.contract is 'The version of the contract that is spoken: contracts/<code>/<version>.toml.';
comment on column certvakt.partners.switched_at is 'When sending was last switched on or to another stage.';
comment on column certvakt.partners.told_stage is 'Of which stage the listings say what the portal was told.';
comment on column certvakt.partners.removal_limit is 'More removals than this that wait at once are held until somebody approves them.';
comment on column certvakt.partners.stopped_by is
  'What sending stopped for: the portal broke its contract or refuses to sign us in, which a person ends; or does not answer, which ends by itself.';
comment on column certvakt.partners.failures is 'Attempts in a row that the portal did not answer.';
comment on column certvakt.partners.retry_at is 'When somebody is tried again after an outage.';
comment on column certvakt.partners.alerted_at is 'When administrators were told that sending had stopped.';
comment on column certvakt.partners.held_at is 'Since when more removals wait than may leave unasked.';
comment on column certvakt.partners.held_alerted_at is 'When administrators were told of that.';
comment on column certvakt.partners.reconciled_at is 'When the public listing was last read whole and compared.';
comment on column certvakt.partners.read_tried_at is 'When it was last tried to be read.';
comment on column certvakt.partners.unread_since is 'Since when it could not be read.';
comment on column certvakt.partners.unknown_shown is 'How many it showed whom nobody here knows.';
comment on column certvakt.partners.looked_on is 'The local date of the last look at everybody.';

create table certvakt.partner_types (
  organisation_id uuid not null,
  partner text not null,
  certification_type text not null,
  primary key (organisation_id, partner, certification_type),
  constraint partner_types_partner foreign key (organisation_id, partner)
    references certvakt.partners (organisation_id, code) on delete cascade,
  constraint partner_types_type_inside_organisation foreign key (organisation_id, certification_type)
    references certvakt.certification_types (organisation_id, code)
);
comment on table certvakt.partner_types is 'Certifications of which a partner requires one, whichever.';
create index partner_types_type on certvakt.partner_types (organisation_id, certification_type);

create table certvakt.listings (
  organisation_id uuid not null,
  partner text not null,
  partner_key text not null
    constraint listings_partner_key_form check (length(partner_key) between 1 and 200 and partner_key !~ '[[:cntrl:]]'),
  person_id uuid references certvakt.people (id) on delete set null,
  listing_consent_at timestamptz,
  kept_off_at timestamptz,
  valid_until timestamptz,
  is_listed boolean not null default false,
  number bigint not null default 0,
  turned_at timestamptz,
  cause text not null default 'enrolled' constraint listings_cause_form check (cause ~ '^[a-z-]{1,40}$'),
  looked_at timestamptz not null default now(),
  told_number bigint not null default 0,
  told_listed boolean,
  told_at timestamptz,
  replays bigint not null default 0,
  approved_number bigint not null default 0,
  available_at timestamptz not null default now(),
  attempts bigint not null default 0,
  lease_token uuid,
  lease_until timestamptz,
  asked_at timestamptz,
  asked_number bigint not null default 0,
  is_unsure boolean not null default false,
  trouble text constraint listings_trouble_form check (length(trouble) between 1 and 500),
  confirmed_number bigint not null default 0,
  seen_listed boolean,
  away_since timestamptz,
  primary key (organisation_id, partner, partner_key),
  constraint listings_once_a_person unique (person_id, organisation_id, partner),
  constraint listings_partner foreign key (organisation_id, partner) references certvakt.partners (organisation_id, code),
  constraint listings_lease_whole check ((lease_token is null) = (lease_until is null)),
  constraint listings_told_before check (told_number <= number and confirmed_number <= number)
);
comment on table certvakt.listings is
  'Mentors whom a partner knows: whether they are to be listed, what the portal was told, and what its listing shows.';
comment on column certvakt.listings.partner_key is 'The portal''s own key of the mentor: all that it is ever told of them.';
comment on column certvakt.listings.person_id is 'The mentor; null: deleted or erased, and taken off.';
comment on column certvakt.listings.listing_consent_at is 'Since when the mentor consents to being listed; null: they do not.';
comment on column certvakt.listings.kept_off_at is
  'Since when they are kept off although they consent, because somebody removed them at the portal and a person here said that it be so.';
comment on column certvakt.listings.valid_until is
  'The end of the last valid day of all their certifications that the partner requires and that are not suspended; infinity: never; null: they have none.';
comment on column certvakt.listings.is_listed is 'The fact: they consent, are not kept off, and are certified.';
comment on column certvakt.listings.number is 'The number of their last event.';
comment on column certvakt.listings.turned_at is 'When that was.';
comment on column certvakt.listings.cause is 'Why it was last looked at.';
comment on column certvakt.listings.told_number is 'The last event whose state the portal has taken; smaller than number: it is to be told.';
comment on column certvakt.listings.told_listed is 'What it was told; null: nothing yet.';
comment on column certvakt.listings.asked_at is 'When the portal was last sent something about them.';
comment on column certvakt.listings.asked_number is 'Which event that was.';
comment on column certvakt.listings.is_unsure is
  'Whether a request was left without an answer: nothing is sent before the portal''s state was read back.';
comment on column certvakt.listings.trouble is 'What the portal said last, if it did not take it.';
comment on column certvakt.listings.replays is 'How often the last event was sent anew, each time as another message.';
comment on column certvakt.listings.approved_number is 'The last event that was a removal, waited, and was approved.';
comment on column certvakt.listings.confirmed_number is 'The last event whose state the public listing has shown.';
comment on column certvakt.listings.seen_listed is
  'What the public listing has shown since it could show the last event; null: not known yet.';
comment on column certvakt.listings.away_since is
  'Since when somebody whom nobody here took off has been gone from the listing: nothing puts them back until a person answers.';
create index listings_due on certvakt.listings (organisation_id, partner, available_at) where told_number < number;
-- How many removals wait that were not approved: looked at before each batch.
create index listings_removals on certvakt.listings (organisation_id, partner)
  where told_number < number and not is_listed and approved_number < number;
create index listings_lapsing on certvakt.listings (valid_until) where is_listed;

-- No foreign key: what was to be told outlives whom it is about.
create table certvakt.partner_events (
  id uuid primary key default certvakt.uuid_v7(),
  organisation_id uuid not null,
  partner text not null,
  partner_key text not null,
  number bigint not null,
  status text not null constraint partner_events_status_known check (status in ('listed', 'delisted')),
  cause text not null,
  at timestamptz not null,
  constraint partner_events_in_order unique (organisation_id, partner, partner_key, number)
);
comment on table certvakt.partner_events is 'Transitions of who is listed, numbered a mentor. Nobody changes them.';
create index partner_events_since on certvakt.partner_events (organisation_id, partner, at);

create table certvakt.listing_consents (
  id bigint generated always as identity primary key,
  organisation_id uuid not null,
  partner text not null,
  person_id uuid not null references certvakt.people (id) on delete cascade,
  is_given boolean not null,
  at timestamptz not null,
  actor uuid,
  constraint listing_consents_partner foreign key (organisation_id, partner)
    references certvakt.partners (organisation_id, code) on delete cascade
);
comment on table certvakt.listing_consents is
  'Each time that a mentor gave or withdrew consent (GDPR article 7). Nobody changes it.';
comment on column certvakt.listing_consents.actor is 'The person who said so; null: whoever operates the service.';
create index listing_consents_person on certvakt.listing_consents (person_id);
create index listing_consents_partner on certvakt.listing_consents (organisation_id, partner);

do $$
declare
  relation text;
begin
  foreach relation in array array['partners', 'partner_types', 'listings', 'partner_events', 'listing_consents'] loop
    execute format('alter table certvakt.%I enable row level security', relation);
    execute format('alter table certvakt.%I force row level security', relation);
    execute format('revoke all on certvakt.%I from public, anon, authenticated, service_role', relation);
    execute format('grant select on certvakt.%I to certvakt_worker, certvakt_registrar, certvakt_definer', relation);
    execute format('create policy worker_reads on certvakt.%I for select to certvakt_worker using (true)', relation);
    execute format('create policy registrar_reads on certvakt.%I for select to certvakt_registrar using (true)', relation);
    execute format('create policy definer_reads on certvakt.%I for select to certvakt_definer using (true)', relation);
  end loop;
end
$$;
grant insert on certvakt.partners, certvakt.partner_types, certvakt.listings to certvakt_registrar;
grant update (stage, contract, told_stage, removal_limit, switched_at) on certvakt.partners to certvakt_registrar;
grant delete on certvakt.partner_types, certvakt.listing_consents to certvakt_registrar;
grant update (person_id, listing_consent_at, kept_off_at, away_since, cause, looked_at, told_number, told_listed, told_at, replays,
  approved_number, available_at, attempts, lease_token, lease_until, is_unsure, trouble, confirmed_number, seen_listed)
  on certvakt.listings to certvakt_registrar;
create policy registrar_adds on certvakt.partners for insert to certvakt_registrar with check (true);
create policy registrar_sets on certvakt.partners for update to certvakt_registrar using (true) with check (true);
create policy registrar_adds on certvakt.partner_types for insert to certvakt_registrar with check (true);
create policy registrar_removes on certvakt.partner_types for delete to certvakt_registrar using (true);
create policy registrar_enrols on certvakt.listings for insert to certvakt_registrar with check (true);
create policy registrar_keeps on certvakt.listings for update to certvakt_registrar using (true) with check (true);
create policy registrar_erases on certvakt.listing_consents for delete to certvakt_registrar using (true);
grant update (stopped_at, stopped_by, stopped_reason, failures, retry_at, alerted_at, held_at, held_alerted_at, reconciled_at,
  read_tried_at, unread_since, unread_reason, unknown_shown, looked_on) on certvakt.partners to certvakt_worker;
grant update (told_number, told_listed, told_at, replays, available_at, attempts, lease_token, lease_until, asked_at, asked_number, is_unsure,
  trouble, confirmed_number, seen_listed, away_since) on certvakt.listings to certvakt_worker;
create policy worker_stops on certvakt.partners for update to certvakt_worker using (true) with check (true);
create policy worker_tells on certvakt.listings for update to certvakt_worker using (true) with check (true);
grant update (valid_until, cause, looked_at, listing_consent_at, kept_off_at, away_since) on certvakt.listings to certvakt_definer;
grant insert on certvakt.partner_events, certvakt.listing_consents to certvakt_definer;
create policy definer_looks on certvakt.listings for update to certvakt_definer using (true) with check (true);
grant delete on certvakt.partner_events, certvakt.listings to certvakt_definer;
create policy definer_writes on certvakt.partner_events for insert to certvakt_definer with check (true);
create policy definer_forgets on certvakt.partner_events for delete to certvakt_definer using (true);
create policy definer_forgets on certvakt.listings for delete to certvakt_definer using (person_id is null);
create policy definer_writes on certvakt.listing_consents for insert to certvakt_definer with check (true);
-- To lock somebody, and to leave them as they are.
grant update (id) on certvakt.people to certvakt_definer;
create policy definer_locks on certvakt.people for update to certvakt_definer using (true) with check (true);
grant select (rehearsal) on certvakt.installation to certvakt_definer;

create function certvakt.moment() returns timestamptz
language plpgsql stable set search_path = '' as $$
begin
  return case when exists (select from certvakt.installation i where i.rehearsal)
    then coalesce(nullif(current_setting('certvakt.now', true), '')::timestamptz, now())
    else now() end;
end
$$;
comment on function certvakt.moment is 'What time it is, for what depends on the date; in a rehearsal the setting certvakt.now moves it.';

create function certvakt.certified_until(organisation uuid, partner text, person uuid) returns timestamptz
language plpgsql stable set search_path = '' as $$
begin
  return (
    -- The next day begins when the last valid one has passed.
    select max(coalesce(((c.expires_at at time zone o.time_zone)::date + 1)::timestamp at time zone o.time_zone, 'infinity'))
    from public.peer_mentor_certifications c
    join certvakt.organisations o on o.id = c.organisation_id
    join certvakt.partner_types t on t.organisation_id = c.organisation_id and t.certification_type = c.certification_type
    where c.peer_mentor_id = certified_until.person and c.organisation_id = certified_until.organisation
      and t.partner = certified_until.partner and c.status <> 'suspended');
end
$$;
comment on function certvakt.certified_until is
  'The end of the last valid day of what somebody holds of the types that a partner requires; null: nothing.';

create function certvakt.keep_listing() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  moment timestamptz := certvakt.moment();
  is_new boolean := tg_op = 'INSERT';
  is_erased boolean;
  is_listed boolean;
begin
  if is_new then
    -- Whoever records or changes a certification of theirs at the same time has ended, or waits and then finds this row.
    select p.erased_at is not null into is_erased from certvakt.people p where p.id = new.person_id for update;
    if is_erased then
      raise exception 'the person was erased: nothing of theirs begins again'
        using errcode = 'restrict_violation', constraint = 'person_erased',
          hint = 'Whoever comes back is a new person, with an id of their own.';
    end if;
    perform from public.peer_mentor_certifications c where c.peer_mentor_id = new.person_id order by c.id for share;
    -- Whoever looks from an older snapshot and does not find it is told that the snapshot is too old.
    update certvakt.people p set id = p.id where p.id = new.person_id;
    new.valid_until := certvakt.certified_until(new.organisation_id, new.partner, new.person_id);
    new.is_listed := false;
    new.number := 0;
    new.told_number := 0;
  end if;
  -- Given at another time, it is given anew.
  if is_new and new.listing_consent_at is not null
    or not is_new and new.listing_consent_at is distinct from old.listing_consent_at then
    new.cause := case when new.person_id is null then new.cause
      when new.listing_consent_at is null then 'consent-withdrawn' else 'consent-given' end;
    -- Who consents anew wants to be listed anew.
    if new.listing_consent_at is not null then
      new.kept_off_at := null;
    end if;
    insert into certvakt.listing_consents (organisation_id, partner, person_id, is_given, at, actor)
    select new.organisation_id, new.partner, new.person_id, new.listing_consent_at is not null, moment, certvakt.current_person()
    where new.person_id is not null;
  elsif not is_new and (new.kept_off_at is null) <> (old.kept_off_at is null) then
    new.cause := case when new.kept_off_at is null then 'listed-again' else 'kept-off' end;
  elsif not is_new and new.person_id is null and old.person_id is not null and new.cause <> 'erased' then
    new.cause := 'deleted';
  end if;
  is_listed := new.person_id is not null and new.listing_consent_at is not null and new.kept_off_at is null
    and coalesce(new.valid_until > moment, false);
  -- The portal shows somebody of whom it was never told anything: that they are not to be listed is the first event.
  if new.is_listed <> is_listed or new.number = 0 and new.cause = 'found-listed' then
    new.is_listed := is_listed;
    new.number := new.number + 1;
    -- Whoever lapsed did so when their last valid day was over, whenever somebody looked.
    new.turned_at := case new.cause when 'lapsed' then new.valid_until else moment end;
    new.available_at := now();
    new.attempts := 0;
    new.replays := 0;
    -- What the listing showed was of the state before.
    new.seen_listed := null;
    insert into certvakt.partner_events (organisation_id, partner, partner_key, number, status, cause, at)
    values (new.organisation_id, new.partner, new.partner_key, new.number,
      case when is_listed then 'listed' else 'delisted' end, new.cause, new.turned_at);
  end if;
  return new;
end
$$;
create trigger keep_listing
  before insert or update of person_id, listing_consent_at, kept_off_at, valid_until, looked_at on certvakt.listings
  for each row execute function certvakt.keep_listing();

create function certvakt.look_at_listings(people uuid[], cause text) returns bigint
language plpgsql security definer set search_path = '' as $$
declare
  numbers_before numeric;
  numbers_after numeric;
begin
  -- Locked by a statement of its own: whoever changed another certification of theirs has ended when the next looks.
  select coalesce(sum(held.number), 0) into numbers_before
  from (
    select l.number from certvakt.listings l where l.person_id = any (look_at_listings.people)
    order by l.organisation_id, l.partner, l.partner_key for no key update) held;
  with looked as (
    -- Written also where nothing changes, so that whoever looks from an older snapshot is told that it is too old.
    update certvakt.listings l
    set valid_until = certvakt.certified_until(l.organisation_id, l.partner, l.person_id), cause = look_at_listings.cause,
      looked_at = certvakt.moment()
    where l.person_id = any (look_at_listings.people)
    returning l.number
  )
  select coalesce(sum(looked.number), 0) into numbers_after from looked;
  return numbers_after - numbers_before;
end
$$;
comment on function certvakt.look_at_listings is
  'Works out anew whether people are listed, because of what has just changed; how many transitions that made.';

create function certvakt.delist_lapsed(batch bigint) returns bigint
language plpgsql security definer set search_path = '' as $$
declare
  lapsed bigint;
begin
  update certvakt.listings l set cause = 'lapsed', looked_at = certvakt.moment()
  from (
    select x.organisation_id, x.partner, x.partner_key from certvakt.listings x
    where x.is_listed and x.valid_until <= certvakt.moment()
    order by x.valid_until limit batch for no key update skip locked) due
  where l.organisation_id = due.organisation_id and l.partner = due.partner and l.partner_key = due.partner_key;
  get diagnostics lapsed = row_count;
  return lapsed;
end
$$;
comment on function certvakt.delist_lapsed is
  'Takes off those whose last valid day has passed, so many at most; how many there were. Nobody else changes by time alone.';

create function certvakt.delist_found(organisation uuid, partner text, keys text[]) returns void
language plpgsql security definer set search_path = '' as $$
begin
  update certvakt.listings l set cause = 'found-listed', looked_at = certvakt.moment()
  where l.organisation_id = delist_found.organisation and l.partner = delist_found.partner
    and l.partner_key = any (delist_found.keys) and l.number = 0;
end
$$;
comment on function certvakt.delist_found is
  'Writes the first event of mentors whom a portal shows although it was never told so.';

create function certvakt.forget_delisted() returns void
language plpgsql security definer set search_path = '' as $$
begin
  -- Whoever was deleted or erased is known by the portal's key until it has taken them off.
  with gone as (
    delete from certvakt.listings l
    where l.person_id is null and l.told_number = l.number and (l.number = 0 or l.told_listed is not distinct from false)
      and not l.is_unsure and l.seen_listed is not true and l.lease_token is null
      and coalesce(l.told_at, l.looked_at) < now() - interval '1 day'
      -- What was told to a portal's staging is no proof, nor is that it was taken: the listing is.
      and exists (
        select from certvakt.partners p
        where p.organisation_id = l.organisation_id and p.code = l.partner
          and (l.number = 0 or p.told_stage = 'live' and l.confirmed_number = l.number))
    returning l.organisation_id, l.partner, l.partner_key
  )
  delete from certvakt.partner_events e using gone g
  where e.organisation_id = g.organisation_id and e.partner = g.partner and e.partner_key = g.partner_key;
  -- What is over for a year, but for each mentor's last event.
  delete from certvakt.partner_events e
  where e.at < now() - interval '1 year' and e.number < (
    select l.number from certvakt.listings l
    where l.organisation_id = e.organisation_id and l.partner = e.partner and l.partner_key = e.partner_key);
end
$$;
comment on function certvakt.forget_delisted is
  'Deletes mentors who were deleted or erased once the portal has taken them off, and events that are over for a year.';

create function certvakt.look_at_changed() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  changed record;
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    -- Somebody enrolled since the snapshot is not seen in it: whoever enrols writes to their row.
    perform from certvakt.people p
    where p.id in (
      select c.peer_mentor_id from new_rows n join public.peer_mentor_certifications c on c.id = n.certification_id)
    order by p.id for key share;
  end if;
  if not exists (select from certvakt.listings) then
    return null;
  end if;
  -- All at once and in one order, whatever happened to whom.
  perform from certvakt.listings l
  where l.person_id in (
    select c.peer_mentor_id from new_rows n join public.peer_mentor_certifications c on c.id = n.certification_id)
  order by l.organisation_id, l.partner, l.partner_key for no key update;
  for changed in
    select n.kind, array_agg(distinct l.person_id) as people
    from new_rows n
    join public.peer_mentor_certifications c on c.id = n.certification_id
    join certvakt.listings l on l.person_id = c.peer_mentor_id and l.organisation_id = c.organisation_id
    group by n.kind order by n.kind
  loop
    perform certvakt.look_at_listings(changed.people, changed.kind);
  end loop;
  return null;
end
$$;
create trigger look_at_listings after insert on certvakt.certification_changes referencing new table as new_rows
  for each statement execute function certvakt.look_at_changed();

create function certvakt.look_at_deleted() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform certvakt.look_at_listings(array(select distinct o.peer_mentor_id from old_rows o), 'deleted');
  return null;
end
$$;
create trigger look_at_listings after delete on public.peer_mentor_certifications referencing old table as old_rows
  for each statement execute function certvakt.look_at_deleted();

create function certvakt.look_at_moved() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform certvakt.look_at_listings(array[new.peer_mentor_id], 'corrected');
  return null;
end
$$;
create trigger look_at_listings_of_move after update of certification_type, organisation_id on public.peer_mentor_certifications
  for each row when (old.certification_type <> new.certification_type or old.organisation_id <> new.organisation_id)
  execute function certvakt.look_at_moved();

create function certvakt.look_at_required() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform certvakt.look_at_listings(array(
    select l.person_id from certvakt.listings l
    where (l.organisation_id, l.partner) in (select r.organisation_id, r.partner from rows r)), 'required-types');
  return null;
end
$$;
create trigger look_at_listings_of_more after insert on certvakt.partner_types referencing new table as rows
  for each statement execute function certvakt.look_at_required();
create trigger look_at_listings_of_fewer after delete on certvakt.partner_types referencing old table as rows
  for each statement execute function certvakt.look_at_required();

do $$
declare
  own text;
begin
  foreach own in array array['moment()', 'certified_until(uuid, text, uuid)', 'keep_listing()', 'look_at_listings(uuid[], text)',
      'delist_lapsed(bigint)', 'delist_found(uuid, text, text[])',
      'forget_delisted()', 'look_at_changed()', 'look_at_deleted()', 'look_at_moved()', 'look_at_required()'] loop
    execute format('revoke all on function certvakt.%s from public, anon, authenticated, service_role', own);
    execute format('grant execute on function certvakt.%s to certvakt_definer', own);
  end loop;
end
$$;
grant execute on function certvakt.moment(), certvakt.look_at_listings(uuid[], text), certvakt.delist_lapsed(bigint),
  certvakt.delist_found(uuid, text, text[]), certvakt.forget_delisted() to certvakt_worker;
grant select (rehearsal) on certvakt.installation to certvakt_worker;
alter function certvakt.keep_listing() owner to certvakt_definer;
alter function certvakt.look_at_listings(uuid[], text) owner to certvakt_definer;
alter function certvakt.delist_lapsed(bigint) owner to certvakt_definer;
alter function certvakt.delist_found(uuid, text, text[]) owner to certvakt_definer;
alter function certvakt.forget_delisted() owner to certvakt_definer;
alter function certvakt.look_at_changed() owner to certvakt_definer;
alter function certvakt.look_at_deleted() owner to certvakt_definer;
alter function certvakt.look_at_moved() owner to certvakt_definer;
alter function certvakt.look_at_required() owner to certvakt_definer;

-- Administrators are told when sending has stopped, and when removals wait for them.
alter table certvakt.letters
  -- squawk-ignore ban-drop-constraint
  drop constraint letters_alert_known,
  add constraint letters_alert_known check (alert in ('long-history', 'partner-stopped', 'removals-held')) not valid;
create view certvakt.administrators with (security_invoker = true) as
select distinct on (m.organisation_id, m.person_id) m.organisation_id, m.person_id, k.id as contact_point_id
from certvakt.memberships m
join certvakt.contact_points k on k.person_id = m.person_id and k.kind = 'email'
where m.role = 'org_admin'
order by m.organisation_id, m.person_id, k.id;
comment on view certvakt.administrators is 'Who administers which organisation and can be mailed, with one address each.';
revoke all on certvakt.administrators from public, anon, authenticated, service_role;
grant select on certvakt.administrators to certvakt_worker;
