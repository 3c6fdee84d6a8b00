-- Partners, whose portals publish the mentors whom people can contact. Consent and certifications determine who is listed.
-- Each transition is an event, in the transaction that causes it. A portal can also report completed renewal courses.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

create table certvakt.partners (
  organisation_id uuid not null references certvakt.organisations (id) on delete cascade,
  code text not null constraint partners_code_form check (code ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
  environment text constraint partners_environment_known check (environment in ('staging', 'live')),
  contract text constraint partners_contract_form check (contract ~ '^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$'),
  switched_at timestamptz,
  accepted_environment text constraint partners_accepted_environment_known check (accepted_environment in ('staging', 'live')),
  removal_limit bigint not null default 50 constraint partners_removal_limit_range check (removal_limit >= 1),
  stopped_at timestamptz,
  stopped_by text constraint partners_stopped_by_known check (stopped_by in ('contract', 'sign-in', 'outage')),
  stopped_reason text constraint partners_stopped_reason_form check (length(stopped_reason) between 1 and 500),
  failures bigint not null default 0,
  retry_at timestamptz,
  held_at timestamptz,
  reconciled_at timestamptz,
  read_tried_at timestamptz,
  unread_since timestamptz,
  unread_reason text constraint partners_unread_reason_form check (length(unread_reason) between 1 and 500),
  unknown_shown bigint not null default 0,
  enrolled_shown bigint constraint partners_enrolled_shown_range check (enrolled_shown >= 0),
  evaluated_on date,
  created_at timestamptz not null default now(),
  reports_delta text,
  reports_tried_at timestamptz,
  reports_unread_since timestamptz,
  reports_unread_reason text,
  secret_ends_on date,
  switched_by text,
  primary key (organisation_id, code),
  constraint partners_on_whole check (environment is null or contract is not null),
  constraint partners_stopped_whole check (num_nulls(stopped_at, stopped_by, stopped_reason) in (0, 3)),
  constraint partners_unread_whole check ((unread_since is null) = (unread_reason is null))
);
comment on column certvakt.partners.environment is 'The environment of the portal to which events are sent. Null: sending is off, and events wait.';
comment on column certvakt.partners.contract is 'The version of the contract: contracts/<code>/<version>.toml.';
comment on column certvakt.partners.switched_at is 'When sending was last turned on or off, or switched to another environment. Null: it was never on.';
comment on column certvakt.partners.accepted_environment is 'The environment to which the accepted_ columns of listings refer.';
comment on column certvakt.partners.removal_limit is 'If more removals than this wait at once, they are held until a person approves them.';
comment on column certvakt.partners.stopped_by is
  'Why sending stopped. contract: the portal broke its contract; sign-in: it refuses our credentials; a person must resume both. outage: it does not respond; sending resumes by itself.';
comment on column certvakt.partners.failures is 'Consecutive attempts without a response.';
comment on column certvakt.partners.retry_at is 'When the next attempt after an outage is due.';
comment on column certvakt.partners.held_at is 'Since when removals are held.';
comment on column certvakt.partners.reconciled_at is 'When the whole public listing was last read and compared.';
comment on column certvakt.partners.read_tried_at is 'When the last attempt to read the listing began.';
comment on column certvakt.partners.unread_since is 'Since when attempts to read the listing fail.';
comment on column certvakt.partners.unknown_shown is 'How many people in the listing are not enrolled.';
comment on column certvakt.partners.enrolled_shown is
  'How many enrolled mentors the listing showed at reconciled_at. Null: it was never compared.';
comment on column certvakt.partners.evaluated_on is 'The local date on which all listings were last evaluated.';
comment on column certvakt.partners.reports_delta is
  'The URL for reports since the last ones. Null: all reports are read.';
comment on column certvakt.partners.reports_tried_at is 'When the last attempt to read reports began.';
comment on column certvakt.partners.reports_unread_since is 'Since when attempts to read reports fail.';
comment on column certvakt.partners.reports_unread_reason is 'Why attempts to read reports fail.';
comment on column certvakt.partners.secret_ends_on is
  'The last valid day of our credential, in UTC, from the configuration of the sending process. Null: there is no credential, or its end is unknown.';
comment on column certvakt.partners.switched_by is 'Who last turned sending on or off, as account@host.';

alter table certvakt.partners enable row level security;
alter table certvakt.partners force row level security;
revoke all on certvakt.partners from public, anon, authenticated, service_role;
grant select, insert, update (environment, contract, accepted_environment, removal_limit, switched_at, switched_by, reports_delta)
  on certvakt.partners to certvakt_registrar;
create policy registrar_reads on certvakt.partners for select to certvakt_registrar using (true);
create policy registrar_adds on certvakt.partners for insert to certvakt_registrar with check (true);
create policy registrar_sets on certvakt.partners for update to certvakt_registrar using (true) with check (true);
grant select, update (stopped_at, stopped_by, stopped_reason, failures, retry_at, held_at, reconciled_at,
  read_tried_at, unread_since, unread_reason, unknown_shown, enrolled_shown, evaluated_on, reports_delta, reports_tried_at,
  reports_unread_since, reports_unread_reason, secret_ends_on) on certvakt.partners to certvakt_worker;
create policy worker_reads on certvakt.partners for select to certvakt_worker using (true);
create policy worker_stops on certvakt.partners for update to certvakt_worker using (true) with check (true);
grant select, update (stopped_at, stopped_by, stopped_reason, failures, retry_at) on certvakt.partners to certvakt_definer;
create policy definer_reads on certvakt.partners for select to certvakt_definer using (true);
create policy definer_resumes on certvakt.partners for update to certvakt_definer using (stopped_at is not null) with check (stopped_at is null);

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
comment on table certvakt.partner_types is 'The types of certification that a partner accepts. A mentor needs one of them.';
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
  enrolled_at timestamptz not null default now(),
  listing_consent_at timestamptz,
  excluded_at timestamptz,
  valid_until timestamptz,
  is_listed boolean not null default false,
  number bigint not null default 0,
  changed_at timestamptz,
  cause text not null default 'enrolled' constraint listings_cause_form check (cause ~ '^[a-z-]{1,40}$'),
  evaluated_at timestamptz not null default now(),
  accepted_number bigint not null default 0,
  accepted_listed boolean,
  accepted_at timestamptz,
  replays bigint not null default 0,
  approved_number bigint not null default 0,
  available_at timestamptz not null default now(),
  attempts bigint not null default 0,
  lease_token uuid,
  lease_until timestamptz,
  requested_at timestamptz,
  requested_number bigint not null default 0,
  is_in_doubt boolean not null default false,
  last_error text constraint listings_last_error_form check (length(last_error) between 1 and 500),
  confirmed_number bigint not null default 0,
  seen_listed boolean,
  removed_by_hand_since timestamptz,
  approved_by text,
  is_unsettled boolean not null generated always as (
    accepted_number < number or is_in_doubt or removed_by_hand_since is not null or not is_listed and confirmed_number < number
    or coalesce(is_listed <> seen_listed, false)) stored,
  primary key (organisation_id, partner, partner_key),
  constraint listings_once_a_person unique (person_id, organisation_id, partner),
  constraint listings_partner foreign key (organisation_id, partner) references certvakt.partners (organisation_id, code),
  constraint listings_lease_whole check ((lease_token is null) = (lease_until is null)),
  constraint listings_accepted_before check (accepted_number <= number and confirmed_number <= number)
);
comment on table certvakt.listings is
  'Mentors who are enrolled at a partner: whether they are to be listed, the state that the portal accepted, and the state that its listing shows.';
comment on column certvakt.listings.partner_key is 'The portal''s key of the mentor. certvakt sends nothing else about the mentor.';
comment on column certvakt.listings.person_id is 'The mentor. Null: the mentor was deleted or erased, and is not to be listed.';
comment on column certvakt.listings.enrolled_at is 'When the mentor was enrolled at the partner.';
comment on column certvakt.listings.listing_consent_at is 'Since when the mentor consents to being listed. Null: there is no consent.';
comment on column certvakt.listings.excluded_at is
  'Since when the mentor is excluded in spite of consent: the portal removed the mentor, and a person decided to leave it so.';
comment on column certvakt.listings.valid_until is
  'The end of the latest last valid day among the certifications that the partner accepts and that are not suspended. Infinity: no end. Null: there are none.';
comment on column certvakt.listings.is_listed is 'Whether the mentor is to be listed: there is consent, the mentor is not excluded, and valid_until is in the future.';
comment on column certvakt.listings.number is 'The number of the mentor''s last event.';
comment on column certvakt.listings.changed_at is 'The time of the last event.';
comment on column certvakt.listings.cause is 'Why the listing was last evaluated.';
comment on column certvakt.listings.accepted_number is 'The last event whose state the portal has accepted. If it is smaller than number, the state is to be sent.';
comment on column certvakt.listings.accepted_listed is 'The state that the portal has accepted. Null: none yet.';
comment on column certvakt.listings.requested_at is 'When a request about the mentor was last sent.';
comment on column certvakt.listings.requested_number is 'The event of that request.';
comment on column certvakt.listings.is_in_doubt is
  'Whether the outcome of a request is unknown. The portal''s state is read before anything else is sent.';
comment on column certvakt.listings.last_error is 'The portal''s last response, if it did not accept the request.';
comment on column certvakt.listings.replays is 'How often an operator had the last event sent again, each time with a new message id.';
comment on column certvakt.listings.approved_number is 'The last held removal that was approved.';
comment on column certvakt.listings.confirmed_number is 'The last event whose state the public listing has shown.';
comment on column certvakt.listings.seen_listed is
  'What the public listing has shown since the last event. Null: unknown.';
comment on column certvakt.listings.removed_by_hand_since is
  'Since when the mentor is missing from the listing although certvakt did not remove them. A person must decide before they are listed again.';
comment on column certvakt.listings.approved_by is
  'Who approved the removal of approved_number, as account@host.';
comment on column certvakt.listings.is_unsettled is
  'Whether something about the mentor is not settled: a change to be sent, a request without a response, a removal that the listing has not confirmed, a difference from the listing, or a removal by hand.';
create index listings_due on certvakt.listings (organisation_id, partner, available_at) where accepted_number < number;
-- Counts the removals that wait and were not approved, before each batch.
create index listings_removals on certvakt.listings (organisation_id, partner)
  where accepted_number < number and not is_listed and approved_number < number;
create index listings_lapsing on certvakt.listings (valid_until) where is_listed;
-- Pages count the unsettled ones only.
create index listings_unsettled on certvakt.listings (organisation_id, partner) where is_unsettled;

alter table certvakt.listings enable row level security;
alter table certvakt.listings force row level security;
revoke all on certvakt.listings from public, anon, authenticated, service_role;
grant select, insert, update (person_id, listing_consent_at, excluded_at, removed_by_hand_since, cause, evaluated_at, accepted_number, accepted_listed,
  accepted_at, replays, approved_number, approved_by, available_at, attempts, lease_token, lease_until, is_in_doubt, last_error,
  confirmed_number, seen_listed) on certvakt.listings to certvakt_registrar;
create policy registrar_reads on certvakt.listings for select to certvakt_registrar using (true);
create policy registrar_enrols on certvakt.listings for insert to certvakt_registrar with check (true);
create policy registrar_manages on certvakt.listings for update to certvakt_registrar using (true) with check (true);
grant select, update (accepted_number, accepted_listed, accepted_at, replays, available_at, attempts, lease_token, lease_until, requested_at,
  requested_number, is_in_doubt, last_error, confirmed_number, seen_listed, removed_by_hand_since) on certvakt.listings to certvakt_worker;
create policy worker_reads on certvakt.listings for select to certvakt_worker using (true);
create policy worker_updates on certvakt.listings for update to certvakt_worker using (true) with check (true);
grant select, update (valid_until, cause, evaluated_at, listing_consent_at, excluded_at, removed_by_hand_since), delete
  on certvakt.listings to certvakt_definer;
create policy definer_reads on certvakt.listings for select to certvakt_definer using (true);
create policy definer_updates on certvakt.listings for update to certvakt_definer using (true) with check (true);
create policy definer_deletes on certvakt.listings for delete to certvakt_definer using (person_id is null);

-- Events have no foreign key to the listing, because they are kept after the mentor is deleted.
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
comment on table certvakt.partner_events is 'Transitions between listed and delisted, numbered for each mentor. No role may change them.';
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
create policy definer_deletes on certvakt.partner_events for delete to certvakt_definer using (true);

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
  text_version text default nullif(current_setting('certvakt.consent_text', true), '')
    constraint listing_consents_text_version_form check (length(text_version) between 1 and 50),
  locale text default nullif(current_setting('certvakt.consent_locale', true), '')
    constraint listing_consents_locale_form check (length(locale) between 1 and 20),
  given_as text constraint listing_consents_given_as_known check (given_as in ('own', 'paper', 'in_person', 'phone')),
  given_on date
    -- Somewhere on earth, the day is the next one already.
    constraint listing_consents_given_on_past check (given_on <= (at at time zone 'utc')::date + 1),
  constraint listing_consents_own check (
    (given_as is not distinct from 'own') = (is_given and actor is not distinct from person_id)),
  -- A person or a command that records somebody else's consent says how it was given. SQL that neither a login nor a command
  -- runs may leave it out.
  constraint listing_consents_explained check (
    not is_given or given_as is not distinct from 'own' or num_nonnulls(actor, operator) = 0
    or num_nulls(given_as, given_on, text_version, locale) = 0),
  constraint listing_consents_partner foreign key (organisation_id, partner)
    references certvakt.partners (organisation_id, code) on delete cascade
);
comment on table certvakt.listing_consents is
  'The record of consents that mentors gave or withdrew (GDPR article 7). No role may change a row.';
comment on column certvakt.listing_consents.actor is
  'Who recorded it: the mentor, or somebody else for the mentor. Null: an operator recorded it.';
comment on column certvakt.listing_consents.operator is 'Who ran the command that made the row, as account@host. Null: no command made it.';
comment on column certvakt.listing_consents.issuer is 'The issuer of the login. Null: an operator recorded it.';
comment on column certvakt.listing_consents.proof is
  'The proof of the login: login, used-address or confirmed-address. Null: none, which is enough to withdraw consent, or an operator recorded it.';
comment on column certvakt.listing_consents.text_version is
  'The version of the text to which the person consented. Null: an app showed its own, or consent was withdrawn.';
comment on column certvakt.listing_consents.locale is 'The language of the text.';
comment on column certvakt.listing_consents.given_as is
  'How consent was given: with the mentor''s own login (own), or to the person who recorded it: on paper, in person or by phone. Null: it was withdrawn, or SQL outside a login and a command recorded it.';
comment on column certvakt.listing_consents.given_on is
  'The day on which the mentor gave a consent that somebody else recorded. Null: they recorded it themselves, or withdrew it.';
create index listing_consents_person on certvakt.listing_consents (person_id);
create index listing_consents_partner on certvakt.listing_consents (organisation_id, partner);

alter table certvakt.listing_consents enable row level security;
alter table certvakt.listing_consents force row level security;
revoke all on certvakt.listing_consents from public, anon, authenticated, service_role;
grant select on certvakt.listing_consents to certvakt_worker;
create policy worker_reads on certvakt.listing_consents for select to certvakt_worker using (true);
-- For the e-mail to the mentor.
grant select (id, partner, actor, given_as, given_on) on certvakt.listing_consents to certvakt_auth;
create policy auth_reads on certvakt.listing_consents for select to certvakt_auth using (true);
grant select, delete on certvakt.listing_consents to certvakt_registrar;
create policy registrar_reads on certvakt.listing_consents for select to certvakt_registrar using (true);
create policy registrar_erases on certvakt.listing_consents for delete to certvakt_registrar using (true);
grant select, insert on certvakt.listing_consents to certvakt_definer;
create policy definer_reads on certvakt.listing_consents for select to certvakt_definer using (true);
create policy definer_writes on certvakt.listing_consents for insert to certvakt_definer with check (true);

-- The queue is created before this table, and has no rows yet.
-- squawk-ignore constraint-missing-not-valid, adding-foreign-key-constraint
alter table certvakt.mail_queue add constraint mail_queue_consent foreign key (consent_id)
  references certvakt.listing_consents (id) on delete cascade;

-- Triggers evaluate a mentor's listings after each change that could affect them. The passage of time alone can only remove a
-- mentor.

create function certvakt.certified_until(organisation uuid, partner text, person uuid) returns timestamptz
language plpgsql stable set search_path = '' as $$
begin
  return (
    -- The end of the last valid day is the beginning of the next one.
    select max(coalesce(((c.expires_at at time zone o.time_zone)::date + 1)::timestamp at time zone o.time_zone, 'infinity'))
    from public.peer_mentor_certifications c
    join certvakt.organisations o on o.id = c.organisation_id
    join certvakt.partner_types t on t.organisation_id = c.organisation_id and t.certification_type = c.certification_type
    where c.peer_mentor_id = certified_until.person and c.organisation_id = certified_until.organisation
      and t.partner = certified_until.partner and c.status <> 'suspended');
end
$$;
comment on function certvakt.certified_until is
  'Returns the end of the latest last valid day among a person''s certifications of the types that a partner accepts. Null: there are none.';

create function certvakt.compute_is_listed() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  moment timestamptz := certvakt.moment();
  is_new boolean := tg_op = 'INSERT';
  is_listed boolean;
  is_own boolean := certvakt.current_person() is not distinct from new.person_id;
  is_given boolean := new.listing_consent_at is not null;
  consent bigint;
begin
  if is_new then
    -- A concurrent transaction that changes a certification of the mentor has ended, or it waits and then finds this row.
    perform from certvakt.people p where p.id = new.person_id for update;
    perform certvakt.refuse_erased(array[new.person_id]);
    perform from public.peer_mentor_certifications c where c.peer_mentor_id = new.person_id order by c.id for share;
    -- A transaction with an older snapshot does not see the row. This update makes it fail with a serialization error.
    update certvakt.people p set id = p.id where p.id = new.person_id;
    new.valid_until := certvakt.certified_until(new.organisation_id, new.partner, new.person_id);
    new.enrolled_at := moment;
    new.is_listed := false;
    new.number := 0;
    new.accepted_number := 0;
  end if;
  -- Another time of consent is a new consent.
  if is_new and new.listing_consent_at is not null
    or not is_new and new.listing_consent_at is distinct from old.listing_consent_at then
    new.cause := case when new.person_id is null then new.cause
      when new.listing_consent_at is null then 'consent-withdrawn' else 'consent-given' end;
    -- A new consent ends a decision to keep the mentor off.
    if new.listing_consent_at is not null then
      new.excluded_at := null;
    end if;
    insert into certvakt.listing_consents (organisation_id, partner, person_id, is_given, at, actor, given_as, given_on)
    select new.organisation_id, new.partner, new.person_id, is_given, moment, certvakt.current_person(),
      case when is_given and is_own then 'own' when is_given then nullif(current_setting('certvakt.consent_given_as', true), '') end,
      case when is_given and not is_own then nullif(current_setting('certvakt.consent_given_on', true), '')::date end
    where new.person_id is not null
    returning id into consent;
    -- Nobody decides for a mentor without telling them, except about those who died or left.
    if consent is not null and not is_own and not exists (
      select from certvakt.ended_people e where e.person_id = new.person_id and e.organisation_id = new.organisation_id) then
      perform certvakt.notify_person(new.person_id, new.organisation_id,
        case when is_given then 'consent-given' else 'consent-withdrawn' end, null, consent);
    end if;
  elsif not is_new and (new.excluded_at is null) <> (old.excluded_at is null) then
    new.cause := case when new.excluded_at is null then 'listed-again' else 'kept-off' end;
  elsif not is_new and new.person_id is null and old.person_id is not null and new.cause <> 'erased' then
    new.cause := 'deleted';
  end if;
  is_listed := new.person_id is not null and new.listing_consent_at is not null and new.excluded_at is null
    and coalesce(new.valid_until > moment, false);
  -- If the portal shows a mentor about whom nothing was ever sent, the first event is a removal.
  if new.is_listed <> is_listed or new.number = 0 and new.cause = 'found-listed' then
    new.is_listed := is_listed;
    new.number := new.number + 1;
    -- The time of a removal is the end of the last valid day, no matter when it was noticed.
    new.changed_at := case when is_listed or new.cause = 'found-listed' then moment else least(old.valid_until, moment) end;
    -- Somebody who takes a change back may change it once more. Until then, the mentor stays off the listing.
    new.available_at := now() + case when is_listed and new.cause = 'undone' then interval '15 minutes' else '0' end;
    new.attempts := 0;
    new.replays := 0;
    -- The listing has not shown the new state yet.
    new.seen_listed := null;
    insert into certvakt.partner_events (organisation_id, partner, partner_key, number, status, cause, at)
    values (new.organisation_id, new.partner, new.partner_key, new.number,
      case when is_listed then 'listed' else 'delisted' end, new.cause, new.changed_at);
  end if;
  return new;
end
$$;
create trigger compute_is_listed
  before insert or update of person_id, listing_consent_at, excluded_at, valid_until, evaluated_at on certvakt.listings
  for each row execute function certvakt.compute_is_listed();

create function certvakt.update_listings(people uuid[], cause text) returns bigint
language plpgsql security definer set search_path = '' as $$
declare
  numbers_before numeric;
  numbers_after numeric;
begin
  -- A separate statement takes the locks, so that the next one sees the changes of transactions that held them.
  select coalesce(sum(held.number), 0) into numbers_before
  from (
    select l.number from certvakt.listings l where l.person_id = any (update_listings.people)
    order by l.organisation_id, l.partner, l.partner_key for no key update) held;
  with looked as (
    -- The update happens even if nothing changes, so that a transaction with an older snapshot fails with a serialization
    -- error.
    update certvakt.listings l
    set valid_until = certvakt.certified_until(l.organisation_id, l.partner, l.person_id), cause = update_listings.cause,
      evaluated_at = certvakt.moment()
    where l.person_id = any (update_listings.people)
    returning l.number
  )
  select coalesce(sum(looked.number), 0) into numbers_after from looked;
  return numbers_after - numbers_before;
end
$$;
comment on function certvakt.update_listings is
  'Evaluates the listings of people after a change. Returns the number of transitions.';

create function certvakt.update_changed_listings(certifications uuid[], kinds text[]) returns void
language plpgsql set search_path = '' as $$
declare
  changed record;
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    -- The snapshot does not show a mentor who was enrolled later. The enrolment updated the person's row, so locking it fails.
    perform from certvakt.people p
    where p.id in (select c.peer_mentor_id from public.peer_mentor_certifications c where c.id = any (certifications))
    order by p.id for key share;
  end if;
  if not exists (select from certvakt.listings) then
    return;
  end if;
  -- One statement locks all listings in one order, to avoid deadlocks.
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
    perform certvakt.update_listings(changed.people, changed.kind);
  end loop;
end
$$;
comment on function certvakt.update_changed_listings is
  'Evaluates the listings of the mentors of changed certifications. `kinds` has the kind of change of each certification.';

create function certvakt.update_listings_of_partner() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform certvakt.update_listings(array(
    select l.person_id from certvakt.listings l
    where (l.organisation_id, l.partner) in (select r.organisation_id, r.partner from rows r)), 'required-types');
  return null;
end
$$;
create trigger after_insert after insert on certvakt.partner_types referencing new table as rows
  for each statement execute function certvakt.update_listings_of_partner();
create trigger after_delete after delete on certvakt.partner_types referencing old table as rows
  for each statement execute function certvakt.update_listings_of_partner();

create function certvakt.delist_lapsed(batch bigint) returns bigint
language plpgsql security definer set search_path = '' as $$
declare
  lapsed bigint;
begin
  update certvakt.listings l set cause = 'lapsed', evaluated_at = certvakt.moment()
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
  'Removes up to `batch` mentors whose last valid day has passed. Returns how many. Time alone changes no other listing.';

create function certvakt.delist_found(organisation uuid, partner text, keys text[]) returns void
language plpgsql security definer set search_path = '' as $$
begin
  update certvakt.listings l set cause = 'found-listed', evaluated_at = certvakt.moment()
  where l.organisation_id = delist_found.organisation and l.partner = delist_found.partner
    and l.partner_key = any (delist_found.keys) and l.number = 0;
end
$$;
comment on function certvakt.delist_found is
  'Writes the first event of mentors whom the portal shows although nothing was ever sent about them.';

create function certvakt.delete_delisted() returns void
language plpgsql security definer set search_path = '' as $$
begin
  -- The portal's key of a deleted or erased mentor is kept until the portal has removed the mentor.
  with gone as (
    delete from certvakt.listings l
    where l.person_id is null and l.accepted_number = l.number and (l.number = 0 or l.accepted_listed is not distinct from false)
      and not l.is_in_doubt and l.seen_listed is not true and l.lease_token is null
      and coalesce(l.accepted_at, l.evaluated_at) < now() - interval '1 day'
      -- Only the listing proves the removal. An accepted request, or one to the staging environment, does not.
      and exists (
        select from certvakt.partners p
        where p.organisation_id = l.organisation_id and p.code = l.partner
          and (l.number = 0 or p.accepted_environment = 'live' and l.confirmed_number = l.number))
    returning l.organisation_id, l.partner, l.partner_key
  )
  delete from certvakt.partner_events e using gone g
  where e.organisation_id = g.organisation_id and e.partner = g.partner and e.partner_key = g.partner_key;
  -- Events that are older than a year, except for the last event of each mentor.
  delete from certvakt.partner_events e
  where e.at < now() - interval '1 year' and e.number < (
    select l.number from certvakt.listings l
    where l.organisation_id = e.organisation_id and l.partner = e.partner and l.partner_key = e.partner_key);
end
$$;
comment on function certvakt.delete_delisted is
  'Deletes the listings of deleted and erased mentors whom the portal has removed, and events that are older than a year.';

revoke all on function certvakt.certified_until(uuid, text, uuid), certvakt.compute_is_listed(),
  certvakt.update_listings(uuid[], text), certvakt.update_changed_listings(uuid[], text[]),
  certvakt.update_listings_of_partner(), certvakt.delist_lapsed(bigint),
  certvakt.delist_found(uuid, text, text[]), certvakt.delete_delisted() from public, anon, authenticated, service_role;
grant execute on function certvakt.certified_until(uuid, text, uuid), certvakt.update_changed_listings(uuid[], text[])
  to certvakt_definer;
grant execute on function certvakt.update_listings(uuid[], text), certvakt.delist_lapsed(bigint),
  certvakt.delist_found(uuid, text, text[]), certvakt.delete_delisted() to certvakt_worker;
alter function certvakt.compute_is_listed() owner to certvakt_definer;
alter function certvakt.update_listings(uuid[], text) owner to certvakt_definer;
alter function certvakt.update_listings_of_partner() owner to certvakt_definer;
alter function certvakt.delist_lapsed(bigint) owner to certvakt_definer;
alter function certvakt.delist_found(uuid, text, text[]) owner to certvakt_definer;
alter function certvakt.delete_delisted() owner to certvakt_definer;

-- Mentors see their listings, and give and withdraw consent themselves.
create function certvakt.my_listings()
returns table (organisation_id uuid, organisation text, partner text, consents_since timestamptz, is_listed boolean)
language sql stable security definer set search_path = ''
begin atomic
  select l.organisation_id, o.name, l.partner, l.listing_consent_at, l.is_listed
  from certvakt.listings l join certvakt.organisations o on o.id = l.organisation_id
  where l.person_id = (select certvakt.current_person());
end;
comment on function certvakt.my_listings is
  'Returns the partners at which the caller is enrolled, since when the caller consents, and whether the caller is to be listed.';

-- For functions that decide whose record the caller may read.
create function certvakt.consents_of_person(person uuid)
returns table (
  id bigint, organisation_id uuid, partner text, is_given boolean, at timestamptz, is_own boolean, recorded_by text,
  given_as text, given_on date, text_version text, locale text)
language sql stable security definer set search_path = ''
begin atomic
  select n.id, n.organisation_id, n.partner, n.is_given, n.at, n.actor is not distinct from n.person_id,
    coalesce(
      (select r.name from certvakt.person_names r where r.person_id = n.actor and r.organisation_id = n.organisation_id),
      (select p.name from certvakt.people p where p.id = n.actor)),
    n.given_as, n.given_on, n.text_version, n.locale
  from certvakt.listing_consents n
  where n.person_id = consents_of_person.person;
end;
comment on function certvakt.consents_of_person is
  'Returns the record of a person''s consents to being listed: given or withdrawn, when, whether by themselves, who recorded it, how it was given, and to which text.';
revoke all on function certvakt.consents_of_person(uuid) from public, anon, authenticated, service_role;
alter function certvakt.consents_of_person(uuid) owner to certvakt_definer;

create function certvakt.my_consents()
returns table (
  organisation_id uuid, partner text, is_given boolean, at timestamptz, is_own boolean, recorded_by text, given_as text,
  given_on date, text_version text, locale text)
language sql stable security definer set search_path = ''
begin atomic
  select n.organisation_id, n.partner, n.is_given, n.at, n.is_own, n.recorded_by, n.given_as, n.given_on, n.text_version, n.locale
  from certvakt.consents_of_person(certvakt.current_person()) n
  order by n.id desc;
end;
comment on function certvakt.my_consents is
  'Returns the record of the caller''s consents to being listed, the latest first: given or withdrawn, when, whether by themselves, who recorded it, how it was given, and to which text.';

create function certvakt.consent_to_listing(
  organisation uuid, partner text, is_given boolean, text_version text default null, locale text default null)
returns boolean
language plpgsql security definer set search_path = '' as $$
declare
  person uuid := certvakt.current_person();
  is_new boolean;
  proof text := certvakt.proof_of_person(organisation);
begin
  select l.listing_consent_at is null or l.excluded_at is not null into is_new
  from certvakt.listings l
  where l.organisation_id = consent_to_listing.organisation and l.partner = consent_to_listing.partner
    and l.person_id = person
  for update;
  if not found then
    return false;
  end if;
  if is_given and is_new and proof is null then
    raise exception 'this login is not proven to be the mentor''s own'
      using errcode = 'insufficient_privilege', constraint = 'login_unproven',
        hint = 'Sign in with a provider, or have two administrators confirm the address.';
  end if;
  perform set_config('certvakt.proof', coalesce(proof, ''), true),
    set_config('certvakt.consent_text', coalesce(case when is_given then text_version end, ''), true),
    set_config('certvakt.consent_locale', coalesce(case when is_given then consent_to_listing.locale end, ''), true);
  update certvakt.listings l
  -- The consent of an excluded mentor is a new one.
  set listing_consent_at = case
    when not is_given then null
    when l.excluded_at is not null then certvakt.moment()
    else coalesce(l.listing_consent_at, certvakt.moment()) end
  where l.organisation_id = consent_to_listing.organisation and l.partner = consent_to_listing.partner
    and l.person_id = person;
  return true;
end
$$;
comment on function certvakt.consent_to_listing is
  'Gives or withdraws the caller''s consent to being listed. Giving it requires a proven login, and records the version and the language of the text that they saw. Returns false if the caller is not enrolled at the partner.';

-- Coordinators record the consent of mentors who gave it to them.
create function certvakt.listings_of(certification uuid)
returns table (
  organisation_id uuid, organisation text, partner text, person_id uuid, consents_since timestamptz, is_excluded boolean,
  is_listed boolean)
language sql stable security definer set search_path = ''
begin atomic
  select l.organisation_id, o.name, l.partner, l.person_id, l.listing_consent_at, l.excluded_at is not null, l.is_listed
  from certvakt.visible_certifications c
  join certvakt.listings l on l.person_id = c.peer_mentor_id and l.organisation_id = c.organisation_id
  join certvakt.organisations o on o.id = c.organisation_id
  where c.id = listings_of.certification and c.chapter_id = any ((select certvakt.visible_chapters())::uuid[])
    and c.peer_mentor_id <> (select certvakt.current_person())
    and not exists (
      select from certvakt.ended_people e where e.person_id = c.peer_mentor_id and e.organisation_id = c.organisation_id);
end;
comment on function certvakt.listings_of is
  'Returns where the mentor of a certification is enrolled, if the caller manages its chapter and is somebody else: since when the mentor consents, and whether they are excluded and are to be listed.';

create function certvakt.consents_of(certification uuid)
returns table (
  organisation_id uuid, partner text, is_given boolean, at timestamptz, is_own boolean, recorded_by text, given_as text,
  given_on date, text_version text, locale text)
language sql stable security definer set search_path = ''
begin atomic
  select n.organisation_id, n.partner, n.is_given, n.at, n.is_own, n.recorded_by, n.given_as, n.given_on, n.text_version, n.locale
  from certvakt.listings_of(consents_of.certification) l
  join lateral certvakt.consents_of_person(l.person_id) n on n.organisation_id = l.organisation_id and n.partner = l.partner
  order by n.id desc;
end;
comment on function certvakt.consents_of is
  'Returns the record of the consents of the mentor of a certification to the listings of listings_of, the latest first, as my_consents does.';

-- What `explain` shows operators, for the page of a certification. One statement, with one condition for all of it.
create function certvakt.explanation_of(certification uuid)
returns table (
  organisation_id uuid, cycle_began timestamptz, days_kept integer, declared integer[], type_selects boolean, deliver_from time,
  deliver_until time, notices jsonb, attempts jsonb, listings jsonb)
language sql stable security definer set search_path = ''
begin atomic
  with explained as materialized (
    select c.id, c.organisation_id, c.peer_mentor_id as person_id, o.name as organisation, o.deliver_from, o.deliver_until,
      coalesce(t.lead_times <> o.lead_times, false) as type_selects,
      coalesce((
        select max(k.changed_at) from certvakt.cycle_starts k
        where k.organisation_id = c.organisation_id and k.certification_id = c.id), c.created_at) as cycle_began
    from certvakt.visible_certifications c
    join certvakt.organisations o on o.id = c.organisation_id
    join certvakt.certification_types t on t.organisation_id = c.organisation_id and t.code = c.certification_type
    where c.id = explanation_of.certification and c.chapter_id = any ((select certvakt.visible_chapters())::uuid[])
      and c.peer_mentor_id <> (select certvakt.current_person())
  )
  select c.organisation_id, c.cycle_began, certvakt.days_kept(),
    array(select s.days_before from certvakt.stages s where s.days_before > 0), c.type_selects, c.deliver_from, c.deliver_until,
    (
      select coalesce(jsonb_agg(to_jsonb(n)), '[]')
      from (
        select l.notification_type as stage, l.sent_at as recorded_at, l.idempotency_key, d.due_date, d.state as delivery,
          d.reason, case when isfinite(d.available_at) then d.available_at end as available_at, d.cancelled_in is not null as cancelled_by_worker, d.id as delivery_id
        from public.cert_notification_log l left join certvakt.deliveries d on d.id = l.id
        where l.certification_id = c.id and (l.sent_at >= c.cycle_began or d.finished_at >= c.cycle_began)
        order by l.sent_at desc, l.id desc limit 100) n),
    (
      select coalesce(jsonb_agg(to_jsonb(a) order by a.finished_at, a.attempt, a.message), '[]')
      from (
        select a.delivery_id, a.attempt, a.message, a.channel, a.outcome, a.finished_at
        from public.cert_notification_log l join certvakt.delivery_attempts a on a.delivery_id = l.id
        where l.certification_id = c.id
        order by a.finished_at desc, a.attempt desc, a.message desc limit 200) a),
    (
      select coalesce(jsonb_agg(jsonb_build_object(
        'organisation_id', l.organisation_id, 'organisation', c.organisation, 'partner', l.partner,
        'consents_since', l.listing_consent_at, 'is_excluded', l.excluded_at is not null, 'is_listed', l.is_listed,
        'enrolled_at', l.enrolled_at, 'excluded_at', l.excluded_at, 'is_accepted', l.accepted_number >= l.number,
        'changes', (
          select coalesce(jsonb_agg(to_jsonb(e)), '[]')
          from (
            select e.status = 'listed' as is_listed, e.cause, e.at from certvakt.partner_events e
            where e.organisation_id = l.organisation_id and e.partner = l.partner and e.partner_key = l.partner_key
            order by e.number desc limit 50) e),
        'consents', (
          select coalesce(jsonb_agg(to_jsonb(n)), '[]')
          from (
            select n.* from certvakt.consents_of_person(l.person_id) n
            where n.organisation_id = l.organisation_id and n.partner = l.partner
            order by n.id desc limit 50) n)) order by l.partner), '[]')
      from certvakt.listings l
      where l.person_id = c.person_id and l.organisation_id = c.organisation_id)
  from explained c;
end;
comment on function certvakt.explanation_of is
  'Returns what `explain` says about a certification, if the caller manages its chapter and it is not their own: its cycle, the notices of the cycle, the latest attempts to deliver its notices, and the listings of its mentor at partners with their latest changes and consents.';

create function certvakt.record_consent(
  certification uuid, partner text, is_given boolean, given_as text, given_on date, text_version text, locale text) returns text
language plpgsql security definer set search_path = '' as $$
declare
  mentor uuid;
  organisation uuid;
  is_new boolean;
begin
  select l.person_id, l.organisation_id into mentor, organisation
  from certvakt.listings_of(record_consent.certification) l where l.partner = record_consent.partner;
  select case when record_consent.is_given then l.listing_consent_at is null or l.excluded_at is not null
    else l.listing_consent_at is not null end into is_new
  from certvakt.listings l
  where l.organisation_id = organisation and l.partner = record_consent.partner and l.person_id = mentor
  for update;
  if not found then
    return 'unknown';
  elsif not is_new then
    return 'known';
  end if;
  perform set_config('certvakt.proof', coalesce(certvakt.proof_of_person(organisation), ''), true),
    set_config('certvakt.consent_given_as', coalesce(record_consent.given_as, ''), true),
    set_config('certvakt.consent_given_on', coalesce(record_consent.given_on::text, ''), true),
    set_config('certvakt.consent_text', coalesce(case when record_consent.is_given then record_consent.text_version end, ''), true),
    set_config('certvakt.consent_locale', coalesce(case when record_consent.is_given then record_consent.locale end, ''), true);
  update certvakt.listings l
  set listing_consent_at = case when record_consent.is_given then certvakt.moment() end
  where l.organisation_id = organisation and l.partner = record_consent.partner and l.person_id = mentor;
  return case when exists (
    select from certvakt.mail_queue q where q.consent_id = (
      select max(n.id) from certvakt.listing_consents n
      where n.person_id = mentor and n.organisation_id = organisation and n.partner = record_consent.partner))
    then 'recorded' else 'unnotified' end;
end
$$;
comment on function certvakt.record_consent is
  'Records that the mentor of a certification gave consent to being listed at a partner, with how, on which day and to which text, or withdrew it. Returns recorded; unnotified if the mentor has no mail address to tell; known if nothing changed; unknown if listings_of has no such listing.';

revoke all on function certvakt.my_listings(), certvakt.my_consents(), certvakt.consent_to_listing(uuid, text, boolean, text, text),
  certvakt.listings_of(uuid), certvakt.consents_of(uuid), certvakt.explanation_of(uuid), certvakt.record_consent(uuid, text, boolean, text, date, text, text)
  from public, anon, authenticated, service_role;
grant execute on function certvakt.my_listings(), certvakt.my_consents(), certvakt.consent_to_listing(uuid, text, boolean, text, text),
  certvakt.listings_of(uuid), certvakt.consents_of(uuid), certvakt.explanation_of(uuid), certvakt.record_consent(uuid, text, boolean, text, date, text, text) to authenticated;
grant execute on function certvakt.listings_of(uuid) to certvakt_definer;
alter function certvakt.my_listings() owner to certvakt_definer;
alter function certvakt.my_consents() owner to certvakt_definer;
alter function certvakt.consent_to_listing(uuid, text, boolean, text, text) owner to certvakt_definer;
alter function certvakt.listings_of(uuid) owner to certvakt_definer;
alter function certvakt.consents_of(uuid) owner to certvakt_definer;
alter function certvakt.explanation_of(uuid) owner to certvakt_definer;
alter function certvakt.record_consent(uuid, text, boolean, text, date, text, text) owner to certvakt_definer;

-- Reports of completed courses. The key of a report is the portal's id of the event, so each renews a certification once. A
-- report that contradicts our data waits for a person.

-- Reports have no foreign keys to the mentor and the certification, because they are kept after these are deleted.
create table certvakt.partner_reports (
  organisation_id uuid not null,
  partner text not null,
  environment text not null constraint partner_reports_environment_known check (environment in ('staging', 'live')),
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
    constraint partner_reports_outcome_known check (outcome in ('renewed', 'echo', 'waiting', 'accepted', 'dismissed')),
  reason text constraint partner_reports_reason_form check (reason ~ '^[a-z-]{1,40}$'),
  resolved_at timestamptz,
  resolved_by text,
  settled_by uuid references certvakt.people (id) on delete set null,
  primary key (organisation_id, partner, environment, event_id),
  constraint partner_reports_days_finite check (isfinite(completed_on) and isfinite(valid_until)),
  constraint partner_reports_reason_whole check (reason is not null or outcome in ('renewed', 'echo')),
  constraint partner_reports_resolved_whole check ((resolved_at is null) = (outcome = 'waiting'))
);
comment on table certvakt.partner_reports is
  'Reports of completed renewal courses from portals, each event once, and their outcomes.';
comment on column certvakt.partner_reports.environment is 'The environment of the portal that sent the report. Only reports from live renew certifications.';
comment on column certvakt.partner_reports.event_id is 'The portal''s id of the event.';
comment on column certvakt.partner_reports.partner_key is
  'The portal''s key of the mentor. Null: the mentor was deleted or erased.';
comment on column certvakt.partner_reports.certification_type is
  'The type that the course renews, from the contract. Null: the contract does not contain the course.';
comment on column certvakt.partner_reports.certification_id is 'The certification, if exactly one matched.';
comment on column certvakt.partner_reports.valid_until is 'The new last valid day in the report. Null: the report contains none.';
comment on column certvakt.partner_reports.outcome is
  'renewed; echo: our data contained the renewal already; waiting: for a person; accepted or dismissed: by a person.';
comment on column certvakt.partner_reports.reason is 'Why the report did not renew the certification at once.';
comment on column certvakt.partner_reports.resolved_by is 'Who accepted or dismissed a waiting report with a command, as account@host.';
comment on column certvakt.partner_reports.settled_by is 'The person who accepted or dismissed a waiting report on a page.';
create index partner_reports_settled_by on certvakt.partner_reports (settled_by);
create index partner_reports_waiting on certvakt.partner_reports (organisation_id, partner, received_at, event_id) where outcome = 'waiting';
create index partner_reports_key on certvakt.partner_reports (organisation_id, partner, partner_key) where partner_key is not null;

alter table certvakt.partner_reports enable row level security;
alter table certvakt.partner_reports force row level security;
revoke all on certvakt.partner_reports from public, anon, authenticated, service_role;
grant select on certvakt.partner_reports to certvakt_worker;
create policy worker_reads on certvakt.partner_reports for select to certvakt_worker using (true);
grant select, insert on certvakt.partner_reports to certvakt_registrar;
create policy registrar_reads on certvakt.partner_reports for select to certvakt_registrar using (true);
create policy registrar_adds on certvakt.partner_reports for insert to certvakt_registrar with check (true);
grant select, update (partner_key, outcome, reason, resolved_at, resolved_by, certification_id, settled_by)
  on certvakt.partner_reports to certvakt_definer;
create policy definer_reads on certvakt.partner_reports for select to certvakt_definer using (true);
create policy definer_updates on certvakt.partner_reports for update to certvakt_definer using (true) with check (true);

create function certvakt.unlink_reports() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  update certvakt.partner_reports r
  set partner_key = null,
    outcome = case r.outcome when 'waiting' then 'dismissed' else r.outcome end,
    reason = case r.outcome when 'waiting' then 'mentor-gone' else r.reason end,
    resolved_at = coalesce(r.resolved_at, now())
  where r.organisation_id = old.organisation_id and r.partner = old.partner and r.partner_key = old.partner_key;
  return null;
end
$$;
comment on function certvakt.unlink_reports is
  'Removes a deleted or erased mentor from reports, and dismisses those that wait.';
create trigger unlink_reports after update of person_id on certvakt.listings
  for each row when (old.person_id is not null and new.person_id is null) execute function certvakt.unlink_reports();
revoke all on function certvakt.unlink_reports() from public, anon, authenticated, service_role;
alter function certvakt.unlink_reports() owner to certvakt_definer;

-- A mentor whose last valid day has passed counts as a removal, even before certvakt.delist_lapsed runs.
create view certvakt.listing_states with (security_invoker = true) as
select l.*, x.has_lapsed, not l.is_listed and coalesce(l.seen_listed, false) as is_still_shown,
  case
    when x.has_lapsed then l.valid_until
    when not l.is_listed and (l.accepted_number < l.number or p.environment = 'live' and l.confirmed_number < l.number)
      then l.changed_at end as removed_since
from certvakt.listings l
join certvakt.partners p on p.organisation_id = l.organisation_id and p.code = l.partner
cross join lateral (select coalesce(l.is_listed and l.valid_until <= (select certvakt.moment()), false) as has_lapsed) x;
comment on view certvakt.listing_states is
  'The listings, whether the last valid day has passed, whether the portal shows a mentor who should not be listed, and since when the mentor should not be listed if the portal''s listing has not confirmed it.';
revoke all on certvakt.listing_states from public, anon, authenticated, service_role;
grant select on certvakt.listing_states to certvakt_worker, certvakt_definer;

-- Every number below is about these few, however many mentors are enrolled.
create view certvakt.unsettled_listings with (security_invoker = true) as
select s.* from certvakt.listing_states s where s.is_unsettled
union all
select s.* from certvakt.listing_states s
where not s.is_unsettled and s.is_listed and s.valid_until <= (select certvakt.moment());
comment on view certvakt.unsettled_listings is
  'The states of the listings that are not settled, or whose last valid day has passed.';

-- Coordinators and administrators see the state of their organisations' partners.
create view certvakt.partner_states with (security_invoker = true) as
with m as materialized (select certvakt.moment() as now)
select p.organisation_id, p.code as partner,
  count(*) filter (where l.accepted_number < l.number and l.is_listed and not l.has_lapsed) as to_list,
  count(*) filter (where l.accepted_number < l.number and not l.is_listed or l.has_lapsed) as to_delist,
  count(*) filter (where l.accepted_number < l.number and not l.is_listed and l.accepted_listed is distinct from false
    and l.approved_number < l.number) as not_approved,
  -- Clocks can differ, so a difference can be negative.
  greatest(coalesce(max(extract(epoch from m.now - l.removed_since)), 0), 0)::bigint as oldest_removal_seconds,
  count(*) filter (where l.accepted_number < l.number and l.last_error is not null) as with_errors,
  count(*) filter (where l.is_in_doubt) as in_doubt,
  count(*) filter (where l.is_still_shown) as still_shown,
  count(*) filter (where l.is_listed and l.accepted_number = l.number and not l.seen_listed and l.removed_by_hand_since is null) as not_shown,
  count(*) filter (where l.removed_by_hand_since is not null) as removed_by_hand,
  (select count(*) from certvakt.partner_reports r
    where r.organisation_id = p.organisation_id and r.partner = p.code and r.outcome = 'waiting') as reports_waiting
from m cross join certvakt.partners p
left join certvakt.unsettled_listings l on l.organisation_id = p.organisation_id and l.partner = p.code
group by p.organisation_id, p.code, m.now;
comment on view certvakt.partner_states is 'The state of partners: changes to be sent, and differences from their listings.';

create view certvakt.partner_totals with (security_invoker = true) as
select p.organisation_id, p.code as partner, count(l.partner_key) as mentors,
  count(*) filter (where l.is_listed and not l.has_lapsed) as listed,
  count(*) filter (where l.excluded_at is not null) as excluded
from certvakt.partners p
left join certvakt.listing_states l on l.organisation_id = p.organisation_id and l.partner = p.code
group by p.organisation_id, p.code;
comment on view certvakt.partner_totals is
  'How many mentors are enrolled at partners, belong on their listings, and are excluded. It reads every listing, so only the worker uses it.';
revoke all on certvakt.unsettled_listings, certvakt.partner_states, certvakt.partner_totals
  from public, anon, authenticated, service_role;
grant select on certvakt.unsettled_listings, certvakt.partner_states to certvakt_worker, certvakt_definer;
grant select on certvakt.partner_totals to certvakt_worker;

-- The one definition of what about a partner needs a person. A removal is late after a day, a live listing has to be
-- compared every six hours, and a credential is replaced a month before it expires. A partner that is off has one problem at
-- most: certvakt sent its live portal mentors who must be removed, and nobody removes them.
create function certvakt.partner_problems(p certvakt.partners, s certvakt.partner_states)
returns table (kind text, number bigint, since timestamptz)
language sql stable set search_path = ''
begin atomic
  select x.kind, x.number, x.since
  from (values
    (1, 'still-listed', s.still_shown > 0, s.still_shown, null::timestamptz),
    (2, 'removal-late', s.oldest_removal_seconds >= 86400, greatest(s.to_delist, 1), null),
    (3, 'stopped', p.stopped_at is not null, null, p.stopped_at),
    (4, 'removals-held', p.held_at is not null and s.not_approved > 0, s.not_approved, p.held_at),
    (5, 'listing-unread', p.unread_since is not null, null, p.unread_since),
    (6, 'listing-not-compared', p.environment = 'live' and p.unread_since is null
      and coalesce(p.reconciled_at, p.switched_at) < now() - interval '6 hours', null, coalesce(p.reconciled_at, p.switched_at)),
    (7, 'missing', s.not_shown > 0, s.not_shown, null),
    (8, 'removed-by-hand', s.removed_by_hand > 0, s.removed_by_hand, null),
    (9, 'unknown', p.unknown_shown > 0, p.unknown_shown, null),
    (10, 'reports-unread', p.reports_unread_since is not null, null, p.reports_unread_since),
    (11, 'reports-waiting', s.reports_waiting > 0, s.reports_waiting, null),
    (12, 'credential-expires', p.secret_ends_on < (now() at time zone 'UTC')::date + 30,
      p.secret_ends_on - (now() at time zone 'UTC')::date, null)
  ) as x (severity, kind, applies, number, since)
  where x.applies and (p.environment is not null or x.kind = 'removal-late' and p.accepted_environment = 'live')
  order by x.severity;
end;
comment on function certvakt.partner_problems is
  'The problems of a partner that need a person, most severe first: the number of mentors, reports or days that each is about, and since when it exists.';
revoke all on function certvakt.partner_problems(certvakt.partners, certvakt.partner_states) from public, anon, authenticated, service_role;
grant execute on function certvakt.partner_problems(certvakt.partners, certvakt.partner_states) to certvakt_worker, certvakt_definer;

create table certvakt.partner_alerts (
  organisation_id uuid not null,
  partner text not null,
  kind text not null constraint partner_alerts_kind_form check (length(kind) between 1 and 30),
  noticed_at timestamptz not null default now(),
  since timestamptz,
  mailed_at timestamptz,
  primary key (organisation_id, partner, kind),
  constraint partner_alerts_partner foreign key (organisation_id, partner)
    references certvakt.partners (organisation_id, code) on delete cascade
);
comment on table certvakt.partner_alerts is
  'The present problems of partners, so that administrators get one e-mail about each. A row is deleted when its problem ends.';
comment on column certvakt.partner_alerts.since is 'When the problem began, where partner_problems knows it.';
comment on column certvakt.partner_alerts.mailed_at is 'When administrators were notified. Null: not yet, because the problem may end by itself.';
alter table certvakt.partner_alerts enable row level security;
alter table certvakt.partner_alerts force row level security;
revoke all on certvakt.partner_alerts from public, anon, authenticated, service_role;
grant select, insert, update (noticed_at, since, mailed_at), delete on certvakt.partner_alerts to certvakt_worker;
create policy worker_manages on certvakt.partner_alerts to certvakt_worker using (true) with check (true);

create function certvakt.my_partners()
returns table (
  organisation_id uuid, organisation text, time_zone text, partner text, is_administered boolean, environment text,
  switched_at timestamptz, enrolled_shown bigint, reconciled_at timestamptz, to_list bigint, to_delist bigint, oldest_removal_seconds bigint, removal_limit bigint,
  stopped_since timestamptz, stopped_by text, held bigint, unread_since timestamptz, still_shown bigint, not_shown bigint,
  removed_by_hand bigint, unknown_shown bigint, reports_waiting bigint, secret_days integer, problems jsonb)
language sql stable security definer set search_path = ''
begin atomic
  select p.organisation_id, o.name, o.time_zone, p.code, mine.is_administered, p.environment, p.switched_at, p.enrolled_shown, p.reconciled_at,
    (s.state).to_list, (s.state).to_delist, (s.state).oldest_removal_seconds, p.removal_limit, p.stopped_at, p.stopped_by,
    case when p.held_at is null then 0 else (s.state).not_approved end,
    case when p.environment is not null then p.unread_since end,
    (s.state).still_shown, (s.state).not_shown, (s.state).removed_by_hand, p.unknown_shown, (s.state).reports_waiting,
    p.secret_ends_on - (now() at time zone 'UTC')::date,
    coalesce((select jsonb_agg(x) from certvakt.partner_problems(p, s.state) x), '[]')
  from (
    select m.organisation_id, bool_or(m.role = 'org_admin') as is_administered
    from certvakt.visible_memberships m
    where m.person_id = (select certvakt.current_person()) and m.role in ('coordinator', 'org_admin')
    group by m.organisation_id) mine
  join certvakt.partners p on p.organisation_id = mine.organisation_id
  join certvakt.organisations o on o.id = p.organisation_id
  -- `offset` keeps this apart, so that only the listings of these partners are read.
  cross join lateral (
    select v as state from certvakt.partner_states v
    where v.organisation_id = p.organisation_id and v.partner = p.code
    offset 0) s;
end;
comment on function certvakt.my_partners is
  'Returns the state of the partners of the organisations in which the caller is a coordinator or an administrator.';

-- The same mentors as still_shown and oldest_removal_seconds of partner_states.
create function certvakt.removals_at(
  organisation uuid, partner text, after_since timestamptz, after_key text, how_many bigint)
returns table (
  organisation_id uuid, partner_key text, since timestamptz, has_consent boolean, is_still_shown boolean, is_accepted boolean,
  certification_id uuid)
language plpgsql stable security definer set search_path = '' as $$
declare
  administers boolean := certvakt.administers(organisation);
begin
  return query
  select l.organisation_id, l.partner_key, off.since, l.listing_consent_at is not null and l.excluded_at is null,
    l.is_still_shown, l.accepted_number = l.number and not l.has_lapsed, c.id
  from certvakt.unsettled_listings l
  cross join lateral (
    select coalesce(l.removed_since, case when l.is_still_shown then coalesce(l.changed_at, l.evaluated_at) end) as since) off
  left join lateral (
    select v.id from certvakt.visible_certifications v
    where v.peer_mentor_id = l.person_id and v.organisation_id = l.organisation_id
    -- A certification that the partner accepts says more.
    order by exists (
        select from certvakt.partner_types t
        where t.organisation_id = l.organisation_id and t.partner = l.partner and t.certification_type = v.certification_type) desc,
      coalesce(v.expires_at, 'infinity') desc, v.id
    limit 1) c on true
  where l.organisation_id = removals_at.organisation and l.partner = removals_at.partner and off.since is not null
    and (off.since, l.partner_key) > (after_since, after_key)
    and (c.id is not null or administers)
  order by off.since, l.partner_key
  limit how_many;
end
$$;
comment on function certvakt.removals_at is
  'Returns the mentors who should not be listed at a partner but may be, the longest first, after a time and a key: since when, whether they consent and are not excluded, whether the listing has shown them since, whether the portal has accepted the removal, and a certification of each that the caller may see. Those without one are returned to administrators only.';

-- Settling a report renews the certification or leaves it, so those who may change the certification may settle the report.
create function certvakt.waiting_reports(
  organisation uuid, partner text, event text, after_received timestamptz, after_event text, how_many bigint)
returns table (
  organisation_id uuid, event_id text, partner_key text, certification_type text, certification_id uuid, person_id uuid,
  shown_id uuid, completed_on date, valid_until date, received_at timestamptz, reason text, is_own boolean)
language plpgsql stable security definer set search_path = '' as $$
declare
  person uuid := certvakt.current_person();
  chapters uuid[] := certvakt.visible_chapters();
  administers boolean := certvakt.administers(organisation);
begin
  return query
  select r.organisation_id, r.event_id, r.partner_key, r.certification_type, r.certification_id, who.id, shown.id,
    r.completed_on, r.valid_until, r.received_at, r.reason, who.id is not distinct from person
  from certvakt.partner_reports r
  cross join lateral (
    select (select l.person_id from certvakt.listings l
      where l.organisation_id = r.organisation_id and l.partner = r.partner and l.partner_key = r.partner_key) as id
    offset 0) who
  left join lateral (
    select v.id from certvakt.visible_certifications v
    where v.peer_mentor_id = who.id and v.organisation_id = r.organisation_id
    order by (v.id = r.certification_id) is true desc, (v.certification_type = r.certification_type) is true desc,
      coalesce(v.expires_at, 'infinity') desc, v.id
    limit 1) shown on true
  where r.organisation_id = waiting_reports.organisation and r.partner = waiting_reports.partner and r.outcome = 'waiting'
    and (event is null or r.event_id = event) and (r.received_at, r.event_id) > (after_received, after_event)
    and (administers or exists (
      select from certvakt.visible_certifications v
      where v.organisation_id = r.organisation_id and v.chapter_id = any (chapters) and v.peer_mentor_id <> person
        and (v.id = r.certification_id or r.certification_id is null and v.peer_mentor_id = who.id)))
  order by r.received_at, r.event_id
  limit how_many;
end
$$;
comment on function certvakt.waiting_reports is
  'Returns the reports of a partner that wait for a decision of the caller, the oldest first, after a time and an event, or one of them: all to administrators, and to coordinators those about mentors whose certification they may change. shown_id: a certification of the mentor that the caller may see. is_own: the report is about the caller, and somebody else settles it.';

-- A page shows this beside much else, so it counts few reports, and reads no listing to find them.
create function certvakt.partner_alarms()
returns table (
  organisation_id uuid, organisation text, partner text, is_administered boolean, is_stopped boolean, reports_waiting bigint)
language sql stable security definer set search_path = ''
begin atomic
  select p.organisation_id, o.name, p.code, mine.is_administered, p.stopped_at is not null, r.waiting
  from (
    select m.organisation_id, bool_or(m.role = 'org_admin') as is_administered
    from certvakt.visible_memberships m
    where m.person_id = (select certvakt.current_person()) and m.role in ('coordinator', 'org_admin')
    group by m.organisation_id) mine
  join certvakt.partners p on p.organisation_id = mine.organisation_id and p.environment is not null
  join certvakt.organisations o on o.id = p.organisation_id
  cross join lateral (
    select count(*) filter (where not w.is_own) as waiting
    from certvakt.waiting_reports(p.organisation_id, p.code, null, '-infinity', '', 11) w) r
  where p.stopped_at is not null or r.waiting > 0
  order by o.name, p.code;
end;
comment on function certvakt.partner_alarms is
  'Returns the partners to which sending has stopped, and those with reports for the caller to settle, of the organisations in which the caller is a coordinator or an administrator. It counts at most 11 reports of a partner.';

-- The rules are those of partner_alarms and waiting_reports, for many people at once: a test compares them.
create function certvakt.digest_partners(organisations uuid[], people uuid[])
returns table (
  organisation_id uuid, person_id uuid, partner text, is_stopped boolean, reports_waiting bigint, changed_at timestamptz)
language sql stable set search_path = ''
begin atomic
  with recursive managing as materialized (
    select distinct m.organisation_id, m.chapter_id, m.person_id, m.role
    from unnest(digest_partners.people) as person (id)
    join certvakt.memberships m on m.person_id = person.id
    where m.organisation_id = any (digest_partners.organisations) and m.role in ('coordinator', 'org_admin')
  ),
  reports as materialized (
    select r.organisation_id, r.partner, r.environment, r.event_id, r.received_at, r.certification_id, l.person_id as mentor_id
    from certvakt.partners p
    join certvakt.partner_reports r on r.organisation_id = p.organisation_id and r.partner = p.code and r.outcome = 'waiting'
    left join certvakt.listings l
      on l.organisation_id = r.organisation_id and l.partner = r.partner and l.partner_key = r.partner_key
    where p.organisation_id = any (digest_partners.organisations) and p.environment is not null
  ),
  -- The chapter of the certification or, if none matched, of each certification of the mentor; and the chapters above.
  places as (
    select r.organisation_id, r.partner, r.environment, r.event_id, r.received_at, r.mentor_id, c.chapter_id, c.peer_mentor_id
    from reports r
    cross join lateral (
      select x.organisation_id, x.chapter_id, x.peer_mentor_id from public.peer_mentor_certifications x where x.id = r.certification_id
      union all
      select x.organisation_id, x.chapter_id, x.peer_mentor_id from public.peer_mentor_certifications x
      where r.certification_id is null and x.peer_mentor_id = r.mentor_id
    ) c
    where c.organisation_id = r.organisation_id
    union
    select below.organisation_id, below.partner, below.environment, below.event_id, below.received_at, below.mentor_id, h.parent_id,
      below.peer_mentor_id
    from places below
    join certvakt.chapters h on h.id = below.chapter_id and h.parent_id is not null
  ),
  -- Each report once for each person. Nobody settles a report about themselves.
  settled as (
    select r.organisation_id, r.partner, r.environment, r.event_id, r.received_at, a.person_id
    from reports r
    join managing a on a.organisation_id = r.organisation_id and a.role = 'org_admin' and a.person_id is distinct from r.mentor_id
    union
    select r.organisation_id, r.partner, r.environment, r.event_id, r.received_at, k.person_id
    from places r
    join managing k on k.chapter_id = r.chapter_id and k.role = 'coordinator' and k.person_id <> r.peer_mentor_id
      and k.person_id is distinct from r.mentor_id
  )
  select p.organisation_id, who.person_id, p.code, p.stopped_at is not null, least(count(s.event_id), 11),
    greatest(p.stopped_at, max(s.received_at))
  from (select distinct m.organisation_id, m.person_id from managing m) who
  join certvakt.partners p on p.organisation_id = who.organisation_id and p.environment is not null
  left join settled s on s.organisation_id = p.organisation_id and s.partner = p.code and s.person_id = who.person_id
  group by p.organisation_id, p.code, who.person_id
  having p.stopped_at is not null or count(s.event_id) > 0;
end;
comment on function certvakt.digest_partners is
  'Returns, for the coordinators and administrators among some people, the partners of organisations to which sending has stopped, and those with reports for the person to settle. It counts at most 11 reports of a partner. changed_at: when it stopped, or the last of these reports came.';
revoke all on function certvakt.digest_partners(uuid[], uuid[]) from public, anon, authenticated, service_role;
grant execute on function certvakt.digest_partners(uuid[], uuid[]) to certvakt_worker;

create function certvakt.settle_report(organisation uuid, partner text, event text, certification uuid) returns boolean
language plpgsql volatile security definer set search_path = '' as $$
begin
  update certvakt.partner_reports r
  set outcome = case when certification is null then 'dismissed' else 'accepted' end, resolved_at = now(),
    resolved_by = certvakt.operator(), settled_by = certvakt.current_person(),
    certification_id = coalesce(certification, r.certification_id),
    -- The key of an unknown mentor is needed no longer.
    partner_key = case when exists (
      select from certvakt.listings l
      where l.organisation_id = r.organisation_id and l.partner = r.partner and l.partner_key = r.partner_key
        and l.person_id is not null) then r.partner_key end
  where r.organisation_id = settle_report.organisation and r.partner = settle_report.partner and r.environment = 'live'
    and r.event_id = event and r.outcome = 'waiting'
    -- Commands may settle every report.
    and (current_setting('role') = 'certvakt_registrar' or exists (
        select from certvakt.waiting_reports(settle_report.organisation, settle_report.partner, event, '-infinity', '', 1) w
        where not w.is_own)
      and (certification is null or exists (
        select from certvakt.visible_certifications v
        where v.id = certification and v.organisation_id = r.organisation_id and v.chapter_id = any (certvakt.visible_chapters()))));
  return found;
end
$$;
comment on function certvakt.settle_report is
  'Records that a waiting report was accepted as the renewal of a certification, or dismissed. Returns false if it does not wait, or the caller may not settle it.';

create function certvakt.resume_partner(organisation uuid, partner text, stopped timestamptz) returns boolean
language plpgsql volatile security definer set search_path = '' as $$
begin
  update certvakt.partners p
  set stopped_at = null, stopped_by = null, stopped_reason = null, retry_at = null, failures = 0
  where p.organisation_id = resume_partner.organisation and p.code = resume_partner.partner and p.stopped_at = stopped
    and certvakt.administers(p.organisation_id);
  return found;
end
$$;
comment on function certvakt.resume_partner is
  'Resumes sending to a partner that stopped at a time, by an administrator of its organisation. Returns false if the caller is none, or it did not stop then.';

revoke all on function certvakt.my_partners(), certvakt.partner_alarms(), certvakt.removals_at(uuid, text, timestamptz, text, bigint),
  certvakt.waiting_reports(uuid, text, text, timestamptz, text, bigint), certvakt.settle_report(uuid, text, text, uuid),
  certvakt.resume_partner(uuid, text, timestamptz) from public, anon, authenticated, service_role;
grant execute on function certvakt.my_partners(), certvakt.partner_alarms(), certvakt.removals_at(uuid, text, timestamptz, text, bigint),
  certvakt.waiting_reports(uuid, text, text, timestamptz, text, bigint), certvakt.settle_report(uuid, text, text, uuid),
  certvakt.resume_partner(uuid, text, timestamptz) to authenticated;
grant execute on function certvakt.settle_report(uuid, text, text, uuid) to certvakt_registrar;
alter function certvakt.my_partners() owner to certvakt_definer;
alter function certvakt.partner_alarms() owner to certvakt_definer;
alter function certvakt.removals_at(uuid, text, timestamptz, text, bigint) owner to certvakt_definer;
alter function certvakt.waiting_reports(uuid, text, text, timestamptz, text, bigint) owner to certvakt_definer;
alter function certvakt.settle_report(uuid, text, text, uuid) owner to certvakt_definer;
alter function certvakt.resume_partner(uuid, text, timestamptz) owner to certvakt_definer;
