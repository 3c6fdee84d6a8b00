-- Partners, whose portals publish which mentors one can contact. Who is listed is a fact, worked out from
-- consent and certifications; each of its transitions is an event, written with what causes it. A portal may tell of
-- completed renewal courses as well.

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
  reports_delta text,
  reports_tried_at timestamptz,
  reports_unread_since timestamptz,
  reports_unread_reason text,
  secret_ends_on date,
  secret_alerted_for date,
  switched_by text,
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
comment on column certvakt.partners.unknown_shown is 'How many people it showed who are not enrolled here.';
comment on column certvakt.partners.looked_on is 'The local date of the last look at everybody.';
comment on column certvakt.partners.reports_delta is
  'The address at which the portal says what was reported since it was last read; null: it is read whole.';
comment on column certvakt.partners.reports_tried_at is 'When its reports were last tried to be read.';
comment on column certvakt.partners.reports_unread_since is 'Since when they could not be read.';
comment on column certvakt.partners.reports_unread_reason is 'Why.';
comment on column certvakt.partners.secret_ends_on is
  'The last day on which what signs us in is good, in UTC, as the process that tells the partner knows it; null: it has none, or nobody has said when.';
comment on column certvakt.partners.secret_alerted_for is 'Of which such day administrators were told.';
comment on column certvakt.partners.switched_by is 'Who last switched it to a stage or off, as account@host.';

alter table certvakt.partners enable row level security;
alter table certvakt.partners force row level security;
revoke all on certvakt.partners from public, anon, authenticated, service_role;
grant select, insert, update (stage, contract, told_stage, removal_limit, switched_at, switched_by, reports_delta)
  on certvakt.partners to certvakt_registrar;
create policy registrar_reads on certvakt.partners for select to certvakt_registrar using (true);
create policy registrar_adds on certvakt.partners for insert to certvakt_registrar with check (true);
create policy registrar_sets on certvakt.partners for update to certvakt_registrar using (true) with check (true);
grant select, update (stopped_at, stopped_by, stopped_reason, failures, retry_at, alerted_at, held_at, held_alerted_at,
  reconciled_at, read_tried_at, unread_since, unread_reason, unknown_shown, looked_on, reports_delta, reports_tried_at,
  reports_unread_since, reports_unread_reason, secret_ends_on, secret_alerted_for) on certvakt.partners to certvakt_worker;
create policy worker_reads on certvakt.partners for select to certvakt_worker using (true);
create policy worker_stops on certvakt.partners for update to certvakt_worker using (true) with check (true);
grant select on certvakt.partners to certvakt_definer;
create policy definer_reads on certvakt.partners for select to certvakt_definer using (true);

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
comment on table certvakt.partner_types is 'The types of certification that a partner accepts: a mentor needs one of them.';
create index partner_types_type on certvakt.partner_types (organisation_id, certification_type);

alter table certvakt.partner_types enable row level security;
alter table certvakt.partner_types force row level security;
revoke all on certvakt.partner_types from public, anon, authenticated, service_role;
grant select on certvakt.partner_types to certvakt_worker, certvakt_definer;
create policy worker_reads on certvakt.partner_types for select to certvakt_worker using (true);
create policy definer_reads on certvakt.partner_types for select to certvakt_definer using (true);
grant select, insert, delete on certvakt.partner_types to certvakt_registrar;
create policy registrar_reads on certvakt.partner_types for select to certvakt_registrar using (true);
create policy registrar_adds on certvakt.partner_types for insert to certvakt_registrar with check (true);
create policy registrar_removes on certvakt.partner_types for delete to certvakt_registrar using (true);

create table certvakt.listings (
  organisation_id uuid not null,
  partner text not null,
  partner_key text not null
    constraint listings_partner_key_form check (length(partner_key) between 1 and 200 and partner_key !~ '[[:cntrl:]]')
    constraint listings_partner_key_plain check (partner_key !~ certvakt.forbidden_characters()),
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
  approved_by text,
  primary key (organisation_id, partner, partner_key),
  constraint listings_once_a_person unique (person_id, organisation_id, partner),
  constraint listings_partner foreign key (organisation_id, partner) references certvakt.partners (organisation_id, code),
  constraint listings_lease_whole check ((lease_token is null) = (lease_until is null)),
  constraint listings_told_before check (told_number <= number and confirmed_number <= number)
);
comment on table certvakt.listings is
  'Mentors who are enrolled at a partner: whether they are to be listed, the state that was sent to the portal, and the state that its listing shows.';
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
  'Since when the mentor is missing from the listing although certvakt did not remove them: a person must decide before they are listed again.';
comment on column certvakt.listings.approved_by is
  'Who approved of the removal that approved_number names, as account@host.';
create index listings_due on certvakt.listings (organisation_id, partner, available_at) where told_number < number;
-- How many removals wait that were not approved: looked at before each batch.
create index listings_removals on certvakt.listings (organisation_id, partner)
  where told_number < number and not is_listed and approved_number < number;
create index listings_lapsing on certvakt.listings (valid_until) where is_listed;

alter table certvakt.listings enable row level security;
alter table certvakt.listings force row level security;
revoke all on certvakt.listings from public, anon, authenticated, service_role;
grant select, insert, update (person_id, listing_consent_at, kept_off_at, away_since, cause, looked_at, told_number, told_listed,
  told_at, replays, approved_number, approved_by, available_at, attempts, lease_token, lease_until, is_unsure, trouble,
  confirmed_number, seen_listed) on certvakt.listings to certvakt_registrar;
create policy registrar_reads on certvakt.listings for select to certvakt_registrar using (true);
create policy registrar_enrols on certvakt.listings for insert to certvakt_registrar with check (true);
create policy registrar_keeps on certvakt.listings for update to certvakt_registrar using (true) with check (true);
grant select, update (told_number, told_listed, told_at, replays, available_at, attempts, lease_token, lease_until, asked_at,
  asked_number, is_unsure, trouble, confirmed_number, seen_listed, away_since) on certvakt.listings to certvakt_worker;
create policy worker_reads on certvakt.listings for select to certvakt_worker using (true);
create policy worker_tells on certvakt.listings for update to certvakt_worker using (true) with check (true);
grant select, update (valid_until, cause, looked_at, listing_consent_at, kept_off_at, away_since), delete
  on certvakt.listings to certvakt_definer;
create policy definer_reads on certvakt.listings for select to certvakt_definer using (true);
create policy definer_looks on certvakt.listings for update to certvakt_definer using (true) with check (true);
create policy definer_forgets on certvakt.listings for delete to certvakt_definer using (person_id is null);

-- No foreign key: an event outlives its mentor.
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

alter table certvakt.partner_events enable row level security;
alter table certvakt.partner_events force row level security;
revoke all on certvakt.partner_events from public, anon, authenticated, service_role;
grant select on certvakt.partner_events to certvakt_worker, certvakt_registrar;
create policy worker_reads on certvakt.partner_events for select to certvakt_worker using (true);
create policy registrar_reads on certvakt.partner_events for select to certvakt_registrar using (true);
grant select, insert, delete on certvakt.partner_events to certvakt_definer;
create policy definer_reads on certvakt.partner_events for select to certvakt_definer using (true);
create policy definer_writes on certvakt.partner_events for insert to certvakt_definer with check (true);
create policy definer_forgets on certvakt.partner_events for delete to certvakt_definer using (true);

create table certvakt.listing_consents (
  id bigint generated always as identity primary key,
  organisation_id uuid not null,
  partner text not null,
  person_id uuid not null references certvakt.people (id) on delete cascade,
  is_given boolean not null,
  at timestamptz not null,
  actor uuid,
  operator text default certvakt.operator(),
  issuer text default nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'iss',
  proof text default nullif(current_setting('certvakt.proof', true), ''),
  constraint listing_consents_partner foreign key (organisation_id, partner)
    references certvakt.partners (organisation_id, code) on delete cascade
);
comment on table certvakt.listing_consents is
  'Each time that a mentor gave or withdrew consent (GDPR article 7). Nobody changes it.';
comment on column certvakt.listing_consents.actor is 'The person who gave or withdrew it; null: an operator recorded it.';
comment on column certvakt.listing_consents.operator is 'Who ran the command that made it, as account@host; null: no command did.';
comment on column certvakt.listing_consents.issuer is 'Who vouched for the login that said so; null: no login did.';
comment on column certvakt.listing_consents.proof is
  'What showed that the login is the mentor''s: login, used-address or confirmed-address. Null: nothing, which is enough to withdraw; or the operator said so.';
create index listing_consents_person on certvakt.listing_consents (person_id);
create index listing_consents_partner on certvakt.listing_consents (organisation_id, partner);

alter table certvakt.listing_consents enable row level security;
alter table certvakt.listing_consents force row level security;
revoke all on certvakt.listing_consents from public, anon, authenticated, service_role;
grant select on certvakt.listing_consents to certvakt_worker;
create policy worker_reads on certvakt.listing_consents for select to certvakt_worker using (true);
grant select, delete on certvakt.listing_consents to certvakt_registrar;
create policy registrar_reads on certvakt.listing_consents for select to certvakt_registrar using (true);
create policy registrar_erases on certvakt.listing_consents for delete to certvakt_registrar using (true);
grant select, insert on certvakt.listing_consents to certvakt_definer;
create policy definer_reads on certvakt.listing_consents for select to certvakt_definer using (true);
create policy definer_writes on certvakt.listing_consents for insert to certvakt_definer with check (true);

-- What keeps the fact. Triggers look at a mentor's listings after each change that could turn it; time alone only ends it.

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
  is_listed boolean;
begin
  if is_new then
    -- A concurrent transaction that changes a certification of the mentor has ended, or waits and then finds this row.
    perform from certvakt.people p where p.id = new.person_id for update;
    perform certvakt.refuse_erased(array[new.person_id]);
    perform from public.peer_mentor_certifications c where c.peer_mentor_id = new.person_id order by c.id for share;
    -- A transaction with an older snapshot, which does not see the row, fails because its snapshot is too old.
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
  -- The portal shows a mentor although nothing was ever sent: the first event says that they are not to be listed.
  if new.is_listed <> is_listed or new.number = 0 and new.cause = 'found-listed' then
    new.is_listed := is_listed;
    new.number := new.number + 1;
    -- A mentor lapsed at the end of their last valid day, no matter when that was noticed and what came after.
    new.turned_at := case when is_listed or new.cause = 'found-listed' then moment else least(old.valid_until, moment) end;
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
  -- Locked by a statement of its own: a transaction that changed another certification of theirs has ended before the next statement reads.
  select coalesce(sum(held.number), 0) into numbers_before
  from (
    select l.number from certvakt.listings l where l.person_id = any (look_at_listings.people)
    order by l.organisation_id, l.partner, l.partner_key for no key update) held;
  with looked as (
    -- Written even if nothing changes, so that a transaction with an older snapshot fails because its snapshot is too old.
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

create function certvakt.look_at_changed(certifications uuid[], kinds text[]) returns void
language plpgsql set search_path = '' as $$
declare
  changed record;
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    -- The snapshot does not show a mentor who was enrolled since, but their enrolment wrote to the person's row.
    perform from certvakt.people p
    where p.id in (select c.peer_mentor_id from public.peer_mentor_certifications c where c.id = any (certifications))
    order by p.id for key share;
  end if;
  if not exists (select from certvakt.listings) then
    return;
  end if;
  -- One statement locks them all, in one order.
  perform from certvakt.listings l
  where l.person_id in (select c.peer_mentor_id from public.peer_mentor_certifications c where c.id = any (certifications))
  order by l.organisation_id, l.partner, l.partner_key for no key update;
  for changed in
    select n.kind, array_agg(distinct l.person_id) as people
    from unnest(certifications, kinds) n (certification_id, kind)
    join public.peer_mentor_certifications c on c.id = n.certification_id
    join certvakt.listings l on l.person_id = c.peer_mentor_id and l.organisation_id = c.organisation_id
    group by n.kind order by n.kind
  loop
    perform certvakt.look_at_listings(changed.people, changed.kind);
  end loop;
end
$$;
comment on function certvakt.look_at_changed is
  'Works out anew whether the mentors of changed certifications are listed. Each certification has its kind of change at the same place of the second array.';

create function certvakt.look_at_required() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform certvakt.look_at_listings(array(
    select l.person_id from certvakt.listings l
    where (l.organisation_id, l.partner) in (select r.organisation_id, r.partner from rows r)), 'required-types');
  return null;
end
$$;
create trigger after_insert after insert on certvakt.partner_types referencing new table as rows
  for each statement execute function certvakt.look_at_required();
create trigger after_delete after delete on certvakt.partner_types referencing old table as rows
  for each statement execute function certvakt.look_at_required();

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
  'Writes the first event of mentors whom a portal shows although nothing was ever sent.';

create function certvakt.forget_delisted() returns void
language plpgsql security definer set search_path = '' as $$
begin
  -- The portal's key of a deleted or erased person is kept until the portal has removed them.
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

revoke all on function certvakt.certified_until(uuid, text, uuid), certvakt.keep_listing(),
  certvakt.look_at_listings(uuid[], text), certvakt.look_at_changed(uuid[], text[]),
  certvakt.look_at_required(), certvakt.delist_lapsed(bigint),
  certvakt.delist_found(uuid, text, text[]), certvakt.forget_delisted() from public, anon, authenticated, service_role;
grant execute on function certvakt.certified_until(uuid, text, uuid), certvakt.look_at_changed(uuid[], text[])
  to certvakt_definer;
grant execute on function certvakt.look_at_listings(uuid[], text), certvakt.delist_lapsed(bigint),
  certvakt.delist_found(uuid, text, text[]), certvakt.forget_delisted() to certvakt_worker;
alter function certvakt.keep_listing() owner to certvakt_definer;
alter function certvakt.look_at_listings(uuid[], text) owner to certvakt_definer;
alter function certvakt.look_at_required() owner to certvakt_definer;
alter function certvakt.delist_lapsed(bigint) owner to certvakt_definer;
alter function certvakt.delist_found(uuid, text, text[]) owner to certvakt_definer;
alter function certvakt.forget_delisted() owner to certvakt_definer;

-- Consent is the mentor's own: they see where they are listed, and say themselves whether they want to be.
create function certvakt.my_listings()
returns table (organisation_id uuid, organisation text, partner text, consents_since timestamptz, is_listed boolean)
language sql stable security definer set search_path = ''
begin atomic
  select l.organisation_id, o.name, l.partner, l.listing_consent_at, l.is_listed
  from certvakt.listings l join certvakt.organisations o on o.id = l.organisation_id
  where l.person_id = (select certvakt.current_person());
end;
comment on function certvakt.my_listings is
  'The partners that know the caller, since when the caller consents to being listed there, and whether they are to be listed.';

create function certvakt.consent_to_listing(organisation uuid, partner text, is_given boolean) returns boolean
language plpgsql security definer set search_path = '' as $$
declare
  person uuid := certvakt.current_person();
  is_new boolean;
  proof text := certvakt.proof_of_person(organisation);
begin
  select l.listing_consent_at is null or l.kept_off_at is not null into is_new
  from certvakt.listings l
  where l.organisation_id = consent_to_listing.organisation and l.partner = consent_to_listing.partner
    and l.person_id = person
  for update;
  if not found then
    return false;
  end if;
  if is_given and is_new and proof is null then
    raise exception 'nothing shows yet that this sign-in is the mentor''s own'
      using errcode = 'insufficient_privilege', constraint = 'login_unproven',
        hint = 'Sign in with a provider, or have two administrators confirm the address.';
  end if;
  perform set_config('certvakt.proof', coalesce(proof, ''), true);
  update certvakt.listings l
  -- A mentor who was kept off consents anew.
  set listing_consent_at = case
    when not is_given then null
    when l.kept_off_at is not null then certvakt.moment()
    else coalesce(l.listing_consent_at, certvakt.moment()) end
  where l.organisation_id = consent_to_listing.organisation and l.partner = consent_to_listing.partner
    and l.person_id = person;
  return true;
end
$$;
comment on function certvakt.consent_to_listing is
  'Records that the caller consents to being listed, or withdraws consent; false: the partner does not know them. Consent needs a login that is shown to be theirs.';

revoke all on function certvakt.my_listings(), certvakt.consent_to_listing(uuid, text, boolean)
  from public, anon, authenticated, service_role;
grant execute on function certvakt.my_listings(), certvakt.consent_to_listing(uuid, text, boolean) to authenticated;
alter function certvakt.my_listings() owner to certvakt_definer;
alter function certvakt.consent_to_listing(uuid, text, boolean) owner to certvakt_definer;

-- What a portal tells of completed courses. Each report is kept by the portal's own id of the event, so that it becomes a
-- renewal once; what contradicts ours waits for a person.

-- No foreign key: what was reported outlives what it is about, and is not lost with it.
create table certvakt.partner_reports (
  organisation_id uuid not null,
  partner text not null,
  stage text not null constraint partner_reports_stage_known check (stage in ('staging', 'live')),
  event_id text not null
    constraint partner_reports_event_id_form check (length(event_id) between 1 and 200 and event_id !~ '[[:cntrl:]]')
    constraint partner_reports_event_id_plain check (event_id !~ certvakt.forbidden_characters()),
  partner_key text
    constraint partner_reports_partner_key_form check (length(partner_key) between 1 and 200 and partner_key !~ '[[:cntrl:]]')
    constraint partner_reports_partner_key_plain check (partner_key !~ certvakt.forbidden_characters()),
  certification_type text,
  certification_id uuid,
  completed_on date not null,
  valid_until date,
  received_at timestamptz not null default now(),
  outcome text not null
    constraint partner_reports_outcome_known check (outcome in ('renewed', 'echo', 'waiting', 'taken', 'dismissed')),
  reason text constraint partner_reports_reason_form check (reason ~ '^[a-z-]{1,40}$'),
  settled_at timestamptz,
  settled_by text,
  primary key (organisation_id, partner, stage, event_id),
  constraint partner_reports_days_finite check (isfinite(completed_on) and isfinite(valid_until)),
  constraint partner_reports_reason_whole check (reason is not null or outcome in ('renewed', 'echo')),
  constraint partner_reports_settled_whole check ((settled_at is null) = (outcome = 'waiting'))
);
comment on table certvakt.partner_reports is
  'What portals told of completed renewal courses, each event once, and what became of it.';
comment on column certvakt.partner_reports.stage is 'At which of its stages the portal told it; only what is live renews anybody.';
comment on column certvakt.partner_reports.event_id is 'The portal''s own id of the event.';
comment on column certvakt.partner_reports.partner_key is
  'The portal''s own key of the mentor: all that is kept of them; null: they were deleted or erased.';
comment on column certvakt.partner_reports.certification_type is
  'Which type the course renews, as the contract says; null: it does not know the course.';
comment on column certvakt.partner_reports.certification_id is 'The certification that it is about, if there was exactly one.';
comment on column certvakt.partner_reports.valid_until is 'The new last valid day by the portal; null: it names none.';
comment on column certvakt.partner_reports.outcome is
  'renewed; echo: ours held it already; waiting: for a person, who has then taken or dismissed it.';
comment on column certvakt.partner_reports.reason is 'Why it was not taken at once.';
comment on column certvakt.partner_reports.settled_by is 'Who took or dismissed what waited, as account@host.';
create index partner_reports_waiting on certvakt.partner_reports (organisation_id, partner, received_at) where outcome = 'waiting';
create index partner_reports_key on certvakt.partner_reports (organisation_id, partner, partner_key) where partner_key is not null;

alter table certvakt.partner_reports enable row level security;
alter table certvakt.partner_reports force row level security;
revoke all on certvakt.partner_reports from public, anon, authenticated, service_role;
grant select on certvakt.partner_reports to certvakt_worker;
create policy worker_reads on certvakt.partner_reports for select to certvakt_worker using (true);
grant select, insert, update (partner_key, certification_id, outcome, settled_at, settled_by)
  on certvakt.partner_reports to certvakt_registrar;
create policy registrar_reads on certvakt.partner_reports for select to certvakt_registrar using (true);
create policy registrar_hears on certvakt.partner_reports for insert to certvakt_registrar with check (true);
create policy registrar_settles on certvakt.partner_reports for update to certvakt_registrar using (true) with check (true);
grant select, update (partner_key, outcome, reason, settled_at) on certvakt.partner_reports to certvakt_definer;
create policy definer_reads on certvakt.partner_reports for select to certvakt_definer using (true);
create policy definer_forgets on certvakt.partner_reports for update to certvakt_definer using (true) with check (true);

create function certvakt.forget_reports() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  update certvakt.partner_reports r
  set partner_key = null,
    outcome = case r.outcome when 'waiting' then 'dismissed' else r.outcome end,
    reason = case r.outcome when 'waiting' then 'mentor-gone' else r.reason end,
    settled_at = coalesce(r.settled_at, now())
  where r.organisation_id = old.organisation_id and r.partner = old.partner and r.partner_key = old.partner_key;
  return null;
end
$$;
comment on function certvakt.forget_reports is
  'Removes deleted and erased people from reports, and dismisses those of their reports that wait.';
create trigger forget_reports after update of person_id on certvakt.listings
  for each row when (old.person_id is not null and new.person_id is null) execute function certvakt.forget_reports();
revoke all on function certvakt.forget_reports() from public, anon, authenticated, service_role;
alter function certvakt.forget_reports() owner to certvakt_definer;

-- Administrators see how their organisations' partners stand, and what about them wants a person.
create view certvakt.partner_standings with (security_invoker = true) as
-- A mentor who has lapsed is to be taken off, whether or not anything here has looked since.
with m as materialized (select certvakt.moment() as now)
select p.organisation_id, p.code as partner, count(l.partner_key) as mentors,
  count(*) filter (where l.is_listed and not x.has_lapsed) as listed,
  count(*) filter (where l.told_number < l.number and l.is_listed and not x.has_lapsed) as to_list,
  count(*) filter (where l.told_number < l.number and not l.is_listed or x.has_lapsed) as to_delist,
  count(*) filter (where l.told_number < l.number and not l.is_listed and l.told_listed is distinct from false
    and l.approved_number < l.number) as not_approved,
  -- Somebody's clock may be ahead of another's.
  greatest(coalesce(max(extract(epoch from m.now - case when x.has_lapsed then l.valid_until else l.turned_at end)) filter (
    where x.has_lapsed
      or not l.is_listed and (l.told_number < l.number or p.stage = 'live' and l.confirmed_number < l.number)), 0), 0)::bigint
    as oldest_removal_seconds,
  count(*) filter (where l.told_number < l.number and l.trouble is not null) as in_trouble,
  count(*) filter (where l.is_unsure) as unsure,
  count(*) filter (where not l.is_listed and l.seen_listed) as still_shown,
  count(*) filter (where l.is_listed and l.told_number = l.number and not l.seen_listed and l.away_since is null) as not_shown,
  count(*) filter (where l.away_since is not null) as away,
  count(*) filter (where l.kept_off_at is not null) as kept_off,
  (select count(*) from certvakt.partner_reports r
    where r.organisation_id = p.organisation_id and r.partner = p.code and r.outcome = 'waiting') as reports_waiting
from m cross join certvakt.partners p
left join certvakt.listings l on l.organisation_id = p.organisation_id and l.partner = p.code
cross join lateral (select coalesce(l.is_listed and l.valid_until <= m.now, false) as has_lapsed) x
group by p.organisation_id, p.code, m.now;
comment on view certvakt.partner_standings is 'The state of partners: who is enrolled, what is still to be sent, and what their listings show.';
revoke all on certvakt.partner_standings from public, anon, authenticated, service_role;
grant select on certvakt.partner_standings to certvakt_worker, certvakt_definer;

create function certvakt.my_partners()
returns table (
  organisation_id uuid, organisation text, partner text, stage text, listed bigint, to_list bigint, to_delist bigint,
  oldest_removal_seconds bigint, stopped_since timestamptz, stopped_by text, held bigint, unread_since timestamptz,
  still_shown bigint, not_shown bigint, away bigint, unknown_shown bigint, reports_waiting bigint, secret_days integer)
language sql stable security definer set search_path = ''
begin atomic
  select p.organisation_id, o.name, p.code, p.stage, s.listed, s.to_list, s.to_delist, s.oldest_removal_seconds,
    p.stopped_at, p.stopped_by, case when p.held_at is null then 0 else s.not_approved end, p.unread_since,
    s.still_shown, s.not_shown, s.away, p.unknown_shown, s.reports_waiting,
    p.secret_ends_on - (now() at time zone 'UTC')::date
  from certvakt.partners p
  join certvakt.organisations o on o.id = p.organisation_id
  join certvakt.partner_standings s on s.organisation_id = p.organisation_id and s.partner = p.code
  where p.organisation_id in (
    select m.organisation_id from certvakt.memberships m
    where m.person_id = (select certvakt.current_person()) and m.role = 'org_admin');
end;
comment on function certvakt.my_partners is 'The state of the partners of the organisations that the caller administers.';
revoke all on function certvakt.my_partners() from public, anon, authenticated, service_role;
grant execute on function certvakt.my_partners() to authenticated;
alter function certvakt.my_partners() owner to certvakt_definer;
