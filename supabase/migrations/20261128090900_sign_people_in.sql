-- Invitations, sessions of browsers, queued e-mails (with a token, alerts and notifications), proof that a login belongs to
-- a person, and the access log.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

create table certvakt.invitations (
  id uuid primary key default certvakt.uuid_v7(),
  person_id uuid not null references certvakt.people (id) on delete cascade,
  token_hash bytea not null constraint invitations_token_hash_unique unique
    constraint invitations_token_hash_form check (length(token_hash) = 32),
  created_at timestamptz not null default now(),
  expires_at timestamptz not null default now() + interval '14 days',
  used_at timestamptz,
  operator text default certvakt.operator(),
  address text
);
comment on table certvakt.invitations is 'Invitations. Accepting one links the caller''s login to the invited person. Each can be used once, within fourteen days.';
comment on column certvakt.invitations.token_hash is 'The SHA-256 digest of the token. The token itself is not stored.';
comment on column certvakt.invitations.operator is 'Who ran the command that made the invitation, as account@host. Null: no command made it.';
comment on column certvakt.invitations.address is 'The address to which the token was mailed. Null: the operator created the invitation and hands it over.';
create index invitations_person on certvakt.invitations (person_id);

alter table certvakt.invitations enable row level security;
alter table certvakt.invitations force row level security;
revoke all on certvakt.invitations from public, anon, authenticated, service_role;
grant select (person_id, created_at, expires_at, used_at, address) on certvakt.invitations to certvakt_worker;
create policy worker_reads on certvakt.invitations for select to certvakt_worker using (true);
-- The holder of the token can act as the person. So coordinators never get one: the service mails it to the person, or shows
-- it to the operator.
grant select, insert, delete on certvakt.invitations to certvakt_registrar;
create policy registrar_invites on certvakt.invitations to certvakt_registrar using (true) with check (true);
grant select (token_hash, used_at, expires_at), insert (person_id, token_hash, expires_at, address), delete
  on certvakt.invitations to certvakt_auth;
create policy auth_manages on certvakt.invitations to certvakt_auth using (true) with check (address is not null);
grant select, update (used_at), delete on certvakt.invitations to certvakt_definer;
create policy definer_manages on certvakt.invitations to certvakt_definer using (true) with check (true);

create trigger refuse_erased after insert on certvakt.invitations referencing new table as new_rows
  for each statement execute function certvakt.refuse_rows_of_erased();
-- That was the last trigger with this function.
alter function certvakt.refuse_rows_of_erased() owner to certvakt_definer;

create table certvakt.sessions (
  token_hash bytea primary key constraint sessions_token_hash_form check (length(token_hash) = 32),
  issuer text not null constraint sessions_issuer_form check (length(issuer) between 1 and 500),
  subject text not null constraint sessions_subject_form check (length(subject) between 1 and 255),
  created_at timestamptz not null default now(),
  seen_at timestamptz not null default now(),
  expires_at timestamptz not null default now() + interval '7 days',
  id uuid not null default certvakt.uuid_v7() constraint sessions_id_unique unique,
  address text,
  browser text not null default '' constraint sessions_browser_form check (length(browser) <= 100),
  authenticated_at timestamptz,
  acr text constraint sessions_acr_form check (length(acr) between 1 and 255)
);
comment on table certvakt.sessions is
  'Sessions of browsers. A session acts for a login, like a token; identities link the login to a person.';
comment on column certvakt.sessions.token_hash is 'The SHA-256 digest of the cookie. The cookie itself is not stored.';
comment on column certvakt.sessions.seen_at is 'When the session was last used, within five minutes. It ends twelve hours later.';
comment on column certvakt.sessions.address is 'The address to which the sign-in link was sent. Null: the session began with a provider.';
comment on column certvakt.sessions.browser is 'The browser and the operating system from the User-Agent header, such as Firefox, Windows. Empty if unknown.';
comment on column certvakt.sessions.authenticated_at is
  'When the provider last authenticated the person (auth_time in OpenID Connect Core 1.0, section 2). Null: unknown.';
comment on column certvakt.sessions.acr is 'The authentication context class (acr in the same section). Null: unknown.';

alter table certvakt.sessions enable row level security;
alter table certvakt.sessions force row level security;
revoke all on certvakt.sessions from public, anon, authenticated, service_role;
grant select (issuer, subject, created_at, seen_at, expires_at, browser, address) on certvakt.sessions to certvakt_worker;
create policy worker_reads on certvakt.sessions for select to certvakt_worker using (true);
grant select (issuer, subject), delete on certvakt.sessions to certvakt_registrar;
create policy registrar_erases on certvakt.sessions to certvakt_registrar using (true) with check (false);
grant select, insert (token_hash, issuer, subject, address, browser, authenticated_at, acr), update (seen_at), delete
  on certvakt.sessions to certvakt_auth;
create policy auth_manages on certvakt.sessions to certvakt_auth using (true) with check (true);
grant select, delete on certvakt.sessions to certvakt_definer;
create policy definer_reads on certvakt.sessions for select to certvakt_definer using (true);
create policy definer_ends on certvakt.sessions for delete to certvakt_definer using (true);

-- In an app with its own hierarchy, the caller's login is not in identities.
create function certvakt.my_logins() returns table (issuer text, subject text)
language sql stable security definer set search_path = ''
begin atomic
  select i.issuer, i.subject from certvakt.identities i where i.person_id = (select certvakt.current_person())
  union
  select claims ->> 'iss', claims ->> 'sub'
  from (select nullif(current_setting('request.jwt.claims', true), '')::jsonb as claims) given
  where (select certvakt.current_person()) is not null;
end;
comment on function certvakt.my_logins is 'Returns the logins of the caller''s person, including the one of this transaction.';
revoke all on function certvakt.my_logins() from public, anon, authenticated, service_role;
grant execute on function certvakt.my_logins() to certvakt_definer;
alter function certvakt.my_logins() owner to certvakt_definer;

-- People see and end their sessions.
create function certvakt.my_sessions()
returns table (id uuid, is_link boolean, browser text, created_at timestamptz, seen_at timestamptz, is_current boolean)
language sql stable security definer set search_path = ''
begin atomic
  select s.id, s.issuer = 'urn:certvakt:link', s.browser, s.created_at, s.seen_at,
    s.id::text is not distinct from nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sid'
  from certvakt.sessions s
  where (s.issuer, s.subject) in (select l.issuer, l.subject from certvakt.my_logins() l)
    and s.expires_at > now() and s.seen_at > now() - interval '12 hours'
  order by s.seen_at desc, s.id;
end;
comment on function certvakt.my_sessions is 'Returns the active sessions of the caller.';

create function certvakt.end_my_sessions(session uuid default null) returns bigint
language sql security definer set search_path = ''
begin atomic
  with ended as (
    delete from certvakt.sessions s
    where (s.issuer, s.subject) in (select l.issuer, l.subject from certvakt.my_logins() l)
      and case when session is null
        then s.id::text is distinct from nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sid'
        else s.id = session end
    returning 1
  )
  select count(*) from ended;
end;
comment on function certvakt.end_my_sessions is
  'Ends one session of the caller or, with null, all but the current one. Returns how many it ended.';

revoke all on function certvakt.my_sessions(), certvakt.end_my_sessions(uuid)
  from public, anon, authenticated, service_role;
grant execute on function certvakt.my_sessions(), certvakt.end_my_sessions(uuid) to authenticated;
alter function certvakt.my_sessions() owner to certvakt_definer;
alter function certvakt.end_my_sessions(uuid) owner to certvakt_definer;

create table certvakt.known_browsers (
  token_hash bytea not null constraint known_browsers_token_hash_form check (length(token_hash) = 32),
  person_id uuid not null references certvakt.people (id) on delete cascade,
  seen_at timestamptz not null default now(),
  primary key (person_id, token_hash)
);
comment on table certvakt.known_browsers is
  'Browsers in which a person has signed in during the last 400 days. The person is notified by e-mail of a session in any other.';
comment on column certvakt.known_browsers.token_hash is 'The SHA-256 digest of the cookie. The cookie itself is not stored.';

alter table certvakt.known_browsers enable row level security;
alter table certvakt.known_browsers force row level security;
revoke all on certvakt.known_browsers from public, anon, authenticated, service_role;
grant select (person_id, seen_at) on certvakt.known_browsers to certvakt_worker;
create policy worker_reads on certvakt.known_browsers for select to certvakt_worker using (true);
grant select (person_id), delete on certvakt.known_browsers to certvakt_registrar;
create policy registrar_erases on certvakt.known_browsers to certvakt_registrar using (true) with check (false);
grant select, insert (token_hash, person_id), update (seen_at), delete on certvakt.known_browsers to certvakt_auth;
create policy auth_manages on certvakt.known_browsers to certvakt_auth using (true) with check (true);

create table certvakt.kept_forms (
  person_id uuid primary key references certvakt.people (id) on delete cascade,
  path text not null constraint kept_forms_path_form check (path ~ '^/[^/]' and length(path) <= 500),
  fields text not null constraint kept_forms_fields_length check (length(fields) <= 300000),
  kept_at timestamptz not null default now()
);
comment on table certvakt.kept_forms is
  'The last form that a person sent after their session had expired, or that needed a new sign-in, for an hour: they can send it after they have signed in again.';
comment on column certvakt.kept_forms.fields is 'The fields as application/x-www-form-urlencoded, without the token of the session.';
alter table certvakt.kept_forms enable row level security;
alter table certvakt.kept_forms force row level security;
revoke all on certvakt.kept_forms from public, anon, authenticated, service_role;
grant select, insert, update, delete on certvakt.kept_forms to certvakt_auth;
create policy auth_manages on certvakt.kept_forms to certvakt_auth using (true) with check (true);
grant select (person_id, path, fields), delete on certvakt.kept_forms to certvakt_registrar;
create policy registrar_erases on certvakt.kept_forms to certvakt_registrar using (true) with check (false);
grant select (person_id, path, fields, kept_at), delete on certvakt.kept_forms to authenticated;
create policy people_see_own on certvakt.kept_forms for select to authenticated
  using (person_id = (select certvakt.current_person()));
create policy people_discard_own on certvakt.kept_forms for delete to authenticated
  using (person_id = (select certvakt.current_person()));

create table certvakt.mail_queue (
  id uuid primary key default certvakt.uuid_v7(),
  kind text not null constraint mail_queue_kind_known check (
    kind in ('link', 'invitation', 'alert', 'digest', 'address-removed', 'address-added', 'address-confirmed', 'new-login',
      'notice-corrected', 'consent-given', 'consent-withdrawn')),
  person_id uuid not null references certvakt.people (id) on delete cascade,
  contact_point_id uuid references certvakt.contact_points (id) on delete cascade,
  requested_by uuid references certvakt.people (id) on delete set null,
  requested_at timestamptz not null default now(),
  valid_for interval not null constraint mail_queue_valid_for_range check (valid_for between '1 minute' and '14 days'),
  mail_due_at timestamptz default now(),
  token_hash bytea constraint mail_queue_token_hash_unique unique
    constraint mail_queue_token_hash_form check (length(token_hash) = 32),
  expires_at timestamptz,
  mailed_at timestamptz,
  used_at timestamptz,
  alert text constraint mail_queue_alert_known check (
    alert in ('long-history', 'still-listed', 'removal-late', 'stopped', 'removals-held', 'listing-unread', 'listing-not-compared',
      'missing', 'removed-by-hand', 'unknown', 'reports-unread', 'reports-waiting', 'credential-expires')),
  organisation_id uuid references certvakt.organisations (id) on delete cascade,
  number bigint,
  address text,
  return_to text constraint mail_queue_return_to_form check (return_to ~ '^/([^/]|$)' and length(return_to) <= 500),
  browser_hash bytea constraint mail_queue_browser_hash_form check (length(browser_hash) = 32),
  code_hash bytea constraint mail_queue_code_hash_form check (length(code_hash) = 32),
  -- squawk-ignore prefer-bigint-over-int
  wrong_codes integer not null default 0,
  consent_id bigint,
  constraint mail_queue_consent_whole check ((kind in ('consent-given', 'consent-withdrawn')) = (consent_id is not null)),
  constraint mail_queue_code_of_link check (kind = 'link' or num_nonnulls(return_to, browser_hash, code_hash) = 0),
  constraint mail_queue_to_one check (num_nonnulls(contact_point_id, address) = 1),
  constraint mail_queue_token_expires check ((token_hash is null) = (expires_at is null)),
  constraint mail_queue_alert_whole check (
    case kind when 'alert' then num_nulls(alert, organisation_id, number) = 0
    else num_nonnulls(alert, number) = 0 end)
);
comment on table certvakt.mail_queue is
  'The queue of e-mails. Sign-in links and invitations contain a token; alerts, digests, corrections of notices, and notifications about addresses, logins and consents, do not.';
comment on column certvakt.mail_queue.requested_by is 'Who requested an invitation. Null for sign-in links, which do not need a caller.';
comment on column certvakt.mail_queue.valid_for is 'How long after the request the e-mail may be sent, and how long after that its token is valid.';
comment on column certvakt.mail_queue.mail_due_at is 'When the next attempt to send it is due. Null: there is none.';
comment on column certvakt.mail_queue.token_hash is
  'The SHA-256 digest of the token of the last attempt. For an invitation, it is in invitations too. For an e-mail without a token, it only identifies the attempt.';
comment on column certvakt.mail_queue.used_at is 'When the link was used to sign in.';
comment on column certvakt.mail_queue.alert is 'The subject of an alert: long-history, or a kind of problem of partner_problems.';
comment on column certvakt.mail_queue.organisation_id is 'The organisation of an alert, a digest or a consent, or whose register changed an address.';
comment on column certvakt.mail_queue.number is 'The count that an alert reports.';
comment on column certvakt.mail_queue.address is
  'The recipient of a notification. It is not a contact point, because the address can be removed before the e-mail is sent.';
comment on column certvakt.mail_queue.return_to is 'The page to show after the sign-in with a link.';
comment on column certvakt.mail_queue.browser_hash is
  'The SHA-256 digest of the cookie of the browser that requested the link. The code in the e-mail signs in only there.';
comment on column certvakt.mail_queue.code_hash is 'A digest of browser_hash and the code of the last attempt.';
comment on column certvakt.mail_queue.consent_id is 'The consent to being listed that somebody else recorded.';
comment on column certvakt.mail_queue.wrong_codes is
  'How many wrong codes the browser has sent since the request. After five, the code is invalid.';
create index mail_queue_browser on certvakt.mail_queue (browser_hash) where browser_hash is not null;
create index mail_queue_person on certvakt.mail_queue (person_id);
create index mail_queue_contact_point on certvakt.mail_queue (contact_point_id);
create index mail_queue_requested_by on certvakt.mail_queue (requested_by);
-- Sign-in links and invitations are sent before notifications.
create index mail_queue_due on certvakt.mail_queue ((kind not in ('link', 'invitation')), mail_due_at, id) where mail_due_at is not null;
create index mail_queue_organisation on certvakt.mail_queue (organisation_id);
create index mail_queue_consent on certvakt.mail_queue (consent_id);

alter table certvakt.mail_queue enable row level security;
alter table certvakt.mail_queue force row level security;
revoke all on certvakt.mail_queue from public, anon, authenticated, service_role;
-- The worker reads e-mails for the export of a person's data.
grant select (id, kind, person_id, requested_at, valid_for, mail_due_at, mailed_at, used_at, address, organisation_id),
  insert (id, kind, person_id, contact_point_id, valid_for, alert, organisation_id, number) on certvakt.mail_queue to certvakt_worker;
create policy worker_reads on certvakt.mail_queue for select to certvakt_worker using (true);
create policy worker_alerts on certvakt.mail_queue for insert to certvakt_worker with check (kind in ('alert', 'digest'));
grant select (person_id, requested_by), update (requested_by), delete on certvakt.mail_queue to certvakt_registrar;
create policy registrar_erases on certvakt.mail_queue to certvakt_registrar using (true) with check (requested_by is null);
grant select, insert (kind, person_id, contact_point_id, valid_for, address, return_to, browser_hash),
  update (token_hash, code_hash, wrong_codes, expires_at, mail_due_at, mailed_at, used_at), delete
  on certvakt.mail_queue to certvakt_auth;
create policy auth_manages on certvakt.mail_queue to certvakt_auth using (true) with check (true);
grant select, insert (kind, person_id, contact_point_id, requested_by, valid_for, address, organisation_id, consent_id), delete
  on certvakt.mail_queue to certvakt_definer;
create policy definer_writes on certvakt.mail_queue to certvakt_definer
  using (true) with check (kind in ('invitation', 'address-removed', 'address-added', 'address-confirmed', 'new-login', 'notice-corrected',
    'consent-given', 'consent-withdrawn'));

-- After sign-in, a person sees the data of all their organisations. So an address from a register may be used to sign in only
-- if no other organisation knew the person before, or if that organisation has the same address.
create function certvakt.has_ended(person uuid) returns boolean
language sql stable security definer set search_path = ''
begin atomic
  select exists (select from certvakt.ended_people e where e.person_id = has_ended.person)
    and not exists (select from certvakt.memberships m where m.person_id = has_ended.person)
    and not exists (
      select from public.peer_mentor_certifications c
      where c.peer_mentor_id = has_ended.person
        and not exists (
          select from certvakt.ended_people e where e.person_id = c.peer_mentor_id and e.organisation_id = c.organisation_id));
end;
comment on function certvakt.has_ended is
  'Returns whether a person died or left in every organisation that knows them.';
revoke all on function certvakt.has_ended(uuid) from public, anon, authenticated, service_role;
grant execute on function certvakt.has_ended(uuid) to certvakt_definer;
alter function certvakt.has_ended(uuid) owner to certvakt_definer;

create function certvakt.may_receive_tokens(point uuid) returns boolean
language sql stable security definer set search_path = ''
begin atomic
  select k.receives_tokens and not certvakt.has_ended(k.person_id) and (k.organisation_id is null or not exists (
    select from (
      select m.organisation_id, m.created_at from certvakt.memberships m where m.person_id = k.person_id
      union all
      select c.organisation_id, c.created_at from public.peer_mentor_certifications c where c.peer_mentor_id = k.person_id
    ) known
    where known.organisation_id <> k.organisation_id and known.created_at <= k.created_at
      and not exists (
        select from certvakt.contact_points same
        where same.person_id = k.person_id and same.kind = 'email' and lower(same.address) = lower(k.address)
          and (same.organisation_id is null or same.organisation_id = known.organisation_id))))
  from certvakt.contact_points k where k.id = may_receive_tokens.point;
end;
comment on function certvakt.may_receive_tokens is
  'Returns whether sign-in links and invitations may be sent to a mail address: it is the person''s own, or it comes from a register and every other organisation that knew the person before has it too. Nobody who died or left gets any, and no address that a coordinator added for a person who could already sign in.';

-- lower() is not leakproof, so PostgreSQL does not use the index of mail addresses for a role that a policy with a condition
-- applies to. This function uses it with the privileges of its owner.
create function certvakt.people_of_address(address text) returns table (person_id uuid, contact_point_id uuid)
language sql stable security definer set search_path = ''
begin atomic
  select distinct on (p.person_id) p.person_id, p.id
  from certvakt.contact_points p
  where p.kind = 'email' and lower(p.address) = lower(people_of_address.address) and certvakt.may_receive_tokens(p.id)
  order by p.person_id, p.organisation_id nulls first, p.id;
end;
comment on function certvakt.people_of_address is
  'Returns the people of a mail address, compared without regard to case, with one contact point each.';

create function certvakt.invite(person uuid) returns boolean
language plpgsql security definer set search_path = '' as $$
declare
  visible uuid[] := certvakt.visible_chapters();
  point uuid;
begin
  select p.id into point from certvakt.contact_points p
  where p.person_id = invite.person and p.kind = 'email'
    and exists (
      select from certvakt.memberships m
      where m.person_id = invite.person and m.chapter_id = any (visible)
        and (p.organisation_id is null or p.organisation_id = m.organisation_id))
    and certvakt.may_receive_tokens(p.id)
  order by p.organisation_id nulls first, p.id limit 1;
  if point is null then
    return false;
  end if;
  insert into certvakt.mail_queue (kind, person_id, contact_point_id, requested_by, valid_for)
  select 'invitation', invite.person, point, certvakt.current_person(), interval '14 days'
  where not exists (
    select from certvakt.mail_queue l
    where l.contact_point_id = point and l.kind = 'invitation' and l.requested_at > now() - interval '10 minutes');
  return true;
end
$$;
comment on function certvakt.invite is
  'Queues an invitation to a person in a visible chapter, unless one was requested within the last ten minutes. Returns false if there is no such person with a mail address.';

revoke all on function certvakt.may_receive_tokens(uuid), certvakt.people_of_address(text), certvakt.invite(uuid)
  from public, anon, authenticated, service_role;
grant execute on function certvakt.people_of_address(text) to certvakt_auth;
grant execute on function certvakt.invite(uuid) to authenticated;
alter function certvakt.may_receive_tokens(uuid) owner to certvakt_definer;
alter function certvakt.people_of_address(text) owner to certvakt_definer;
alter function certvakt.invite(uuid) owner to certvakt_definer;

-- Proof that a login belongs to a person. An administrator determines the addresses in a register. So a login that came by
-- such an address is proven only if the address was there when the person was first recorded, or if two administrators have
-- confirmed it.

create table certvakt.address_uses (
  person_id uuid not null references certvakt.people (id) on delete cascade,
  address text not null constraint address_uses_folded check (address = lower(address)),
  first_used_at timestamptz not null default certvakt.moment(),
  primary key (person_id, address)
);
comment on table certvakt.address_uses is 'Mail addresses whose sign-in links a person has used, and when they first did.';

alter table certvakt.address_uses enable row level security;
alter table certvakt.address_uses force row level security;
revoke all on certvakt.address_uses from public, anon, authenticated, service_role;
grant select on certvakt.address_uses to certvakt_worker, certvakt_definer;
create policy worker_reads on certvakt.address_uses for select to certvakt_worker using (true);
create policy definer_manages on certvakt.address_uses to certvakt_definer using (true) with check (true);
grant select (person_id), delete on certvakt.address_uses to certvakt_registrar;
create policy registrar_erases on certvakt.address_uses to certvakt_registrar using (true) with check (false);
grant select, insert (person_id, address) on certvakt.address_uses to certvakt_auth;
create policy auth_adds on certvakt.address_uses to certvakt_auth using (true) with check (true);

create table certvakt.address_confirmations (
  organisation_id uuid not null references certvakt.organisations (id) on delete cascade,
  person_id uuid not null references certvakt.people (id) on delete cascade,
  address text not null constraint address_confirmations_folded check (address = lower(address)),
  administrator_id uuid not null references certvakt.people (id) on delete cascade,
  confirmed_at timestamptz not null default certvakt.moment(),
  issuer text not null,
  proof text not null,
  primary key (organisation_id, person_id, address, administrator_id)
);
comment on table certvakt.address_confirmations is
  'Confirmations by administrators that a mail address belongs to a person. They are deleted with the contact point. Two are required, and take effect fourteen days after the second.';
comment on column certvakt.address_confirmations.issuer is 'The issuer of the administrator''s login.';
comment on column certvakt.address_confirmations.proof is 'The proof of the administrator''s login (certvakt.proof_of_person).';
create index address_confirmations_person on certvakt.address_confirmations (person_id);
create index address_confirmations_administrator on certvakt.address_confirmations (administrator_id);

alter table certvakt.address_confirmations enable row level security;
alter table certvakt.address_confirmations force row level security;
revoke all on certvakt.address_confirmations from public, anon, authenticated, service_role;
grant select on certvakt.address_confirmations to certvakt_worker;
create policy worker_reads on certvakt.address_confirmations for select to certvakt_worker using (true);
grant select (person_id), delete on certvakt.address_confirmations to certvakt_registrar;
create policy registrar_erases on certvakt.address_confirmations to certvakt_registrar using (true) with check (false);
grant select, insert (organisation_id, person_id, address, administrator_id, issuer, proof), delete
  on certvakt.address_confirmations to certvakt_definer;
create policy definer_manages on certvakt.address_confirmations to certvakt_definer using (true) with check (true);

create table certvakt.former_addresses (
  id bigint generated always as identity primary key,
  person_id uuid not null references certvakt.people (id) on delete cascade,
  organisation_id uuid references certvakt.organisations (id) on delete cascade,
  address text not null,
  left_at timestamptz not null default now(),
  constraint former_addresses_once unique nulls not distinct (person_id, organisation_id, address)
);
comment on table certvakt.former_addresses is
  'Mail addresses that were removed or replaced. For ninety days, new logins and confirmations are reported to them.';
create index former_addresses_organisation on certvakt.former_addresses (organisation_id);

alter table certvakt.former_addresses enable row level security;
alter table certvakt.former_addresses force row level security;
revoke all on certvakt.former_addresses from public, anon, authenticated, service_role;
grant select on certvakt.former_addresses to certvakt_worker;
create policy worker_reads on certvakt.former_addresses for select to certvakt_worker using (true);
grant select (person_id), delete on certvakt.former_addresses to certvakt_registrar;
create policy registrar_erases on certvakt.former_addresses to certvakt_registrar using (true) with check (false);
grant select (left_at), delete on certvakt.former_addresses to certvakt_auth;
create policy auth_deletes on certvakt.former_addresses to certvakt_auth using (true) with check (false);
grant select, insert (person_id, organisation_id, address), update (left_at) on certvakt.former_addresses to certvakt_definer;
create policy definer_manages on certvakt.former_addresses to certvakt_definer using (true) with check (true);

create function certvakt.is_first_address(organisation uuid, person uuid, address text) returns boolean
language sql stable security definer set search_path = ''
begin atomic
  select exists (
    select from certvakt.contact_points k join certvakt.people p on p.id = k.person_id
    where k.person_id = is_first_address.person and k.kind = 'email'
      and (k.organisation_id is null or k.organisation_id = is_first_address.organisation)
      and lower(k.address) = lower(is_first_address.address) and k.created_at <= p.created_at);
end;
comment on function certvakt.is_first_address is
  'Returns whether a mail address was there when the person was first recorded, from the organisation or from the person. Such an address has replaced no other.';

create function certvakt.accept_invitation(token text) returns uuid
language plpgsql security definer set search_path = '' as $$
declare
  claims jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
  invited uuid;
  mailed_to text;
begin
  if claims ->> 'iss' is null or claims ->> 'sub' is null then
    raise exception 'nobody has signed in' using errcode = 'insufficient_privilege';
  end if;
  update certvakt.invitations i set used_at = now()
  where i.token_hash = sha256(convert_to(accept_invitation.token, 'UTF8'))
    and i.used_at is null and i.expires_at > now()
  returning i.person_id, i.address into invited, mailed_to;
  -- The login that accepted the invitation repeats the request.
  if invited is null and exists (
    select from certvakt.invitations i
    where i.token_hash = sha256(convert_to(accept_invitation.token, 'UTF8')) and i.used_at is not null
      and i.person_id = certvakt.current_person()) then
    return certvakt.current_person();
  end if;
  if invited is null then
    raise exception 'the invitation is unknown, used or expired' using errcode = 'no_data_found';
  end if;
  if invited = certvakt.current_person() then
    return invited;
  end if;
  insert into certvakt.identities (issuer, subject, person_id, address)
  values (claims ->> 'iss', claims ->> 'sub', invited, mailed_to);
  perform certvakt.notify_person(invited, null, 'new-login', mailed_to);
  return invited;
exception when unique_violation then
  raise exception 'this login is already linked to a person' using errcode = 'unique_violation';
end
$$;
comment on function certvakt.accept_invitation is
  'Links the caller''s login to the invited person, and returns the person. The token can be used once, within fourteen days.';

create function certvakt.is_confirmed_address(organisation uuid, person uuid, address text) returns boolean
language sql stable security definer set search_path = ''
begin atomic
  select count(*) >= 2 and bool_or(counted.number = 2 and counted.confirmed_at <= certvakt.moment() - interval '14 days')
  from (
    select a.confirmed_at, row_number() over (order by a.confirmed_at, a.administrator_id) as number
    from certvakt.address_confirmations a
    where a.organisation_id = is_confirmed_address.organisation and a.person_id = is_confirmed_address.person
      and a.address = lower(is_confirmed_address.address)
      -- A confirmation counts only while its author is an administrator.
      and exists (
        select from certvakt.memberships m
        where m.person_id = a.administrator_id and m.organisation_id = a.organisation_id and m.role = 'org_admin')
  ) counted;
end;
comment on function certvakt.is_confirmed_address is
  'Returns whether two administrators of the organisation have confirmed a mail address, the second at least fourteen days ago.';

create function certvakt.proof_of_person(organisation uuid) returns text
language plpgsql stable security definer set search_path = '' as $$
declare
  claims jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
  is_link boolean := claims ->> 'iss' = 'urn:certvakt:link';
  person uuid := certvakt.current_person();
  came_by text;
  is_first boolean;
begin
  if is_link then
    select s.address into came_by from certvakt.sessions s
    where s.id::text = claims ->> 'sid' and s.issuer = claims ->> 'iss' and s.subject = claims ->> 'sub';
    if came_by is null then
      return null;
    end if;
  else
    select i.address into came_by from certvakt.identities i
    where i.issuer = claims ->> 'iss' and i.subject = claims ->> 'sub';
    if came_by is null then
      return 'login';
    end if;
  end if;
  is_first := certvakt.is_first_address(organisation, person, came_by);
  if is_first and not is_link then
    return 'login';
  end if;
  if is_first and exists (
    select from certvakt.address_uses u
    where u.person_id = person and u.address = lower(came_by) and u.first_used_at <= certvakt.moment() - interval '14 days') then
    return 'used-address';
  end if;
  if certvakt.is_confirmed_address(organisation, person, came_by) then
    return 'confirmed-address';
  end if;
  return null;
end
$$;
comment on function certvakt.proof_of_person is
  'Returns what proves to an organisation that the caller''s login belongs to the person: login, used-address or confirmed-address. Null: nothing does yet.';

create function certvakt.notify_person(
  person uuid, organisation uuid, kind text, but text default null, consent bigint default null) returns void
language sql security definer set search_path = ''
begin atomic
  insert into certvakt.mail_queue (kind, person_id, organisation_id, address, valid_for, consent_id)
  select distinct on (lower(known.address)) notify_person.kind, notify_person.person, notify_person.organisation, known.address,
    interval '14 days', notify_person.consent
  from (
    select k.organisation_id, k.address from certvakt.contact_points k
    where k.person_id = notify_person.person and k.kind = 'email'
    union all
    -- At most ten, the oldest first: an attacker could add many new addresses to push out the others.
    (select f.organisation_id, f.address from certvakt.former_addresses f
     where f.person_id = notify_person.person order by f.left_at, f.id limit 10)
  ) known
  where (notify_person.organisation is null or known.organisation_id is null or known.organisation_id = notify_person.organisation)
    and lower(known.address) is distinct from lower(notify_person.but)
  order by lower(known.address);
end;
comment on function certvakt.notify_person is
  'Queues an e-mail to a person''s present and former mail addresses except `but`: to all of them, or, if `organisation` is given, to those of that organisation and the person''s own. `consent`: the consent that the e-mail is about.';

create function certvakt.confirm_address(
  organisation uuid, person uuid, address text, out confirmations bigint, out counts_from timestamptz)
language plpgsql security definer set search_path = '' as $$
declare
  administrator uuid := certvakt.current_person();
  claims jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
  proof text := certvakt.proof_of_person(organisation);
begin
  if not exists (
      select from certvakt.visible_memberships m
      where m.person_id = administrator and m.organisation_id = organisation and m.role = 'org_admin')
    or not exists (
      select from certvakt.visible_memberships m where m.person_id = person and m.organisation_id = organisation)
    or not exists (
      select from certvakt.contact_points k
      where k.person_id = person and k.kind = 'email' and lower(k.address) = lower(confirm_address.address)
        and (k.organisation_id is null or k.organisation_id = organisation))
    -- Administrators cannot confirm themselves, or an address that they have too.
    or administrator = person or exists (
      select from certvakt.contact_points k
      where k.person_id = administrator and k.kind = 'email' and lower(k.address) = lower(confirm_address.address)) then
    return;
  end if;
  if proof is null then
    raise exception 'this login is not proven to be the administrator''s own'
      using errcode = 'insufficient_privilege', constraint = 'login_unproven',
        hint = 'Sign in with a provider.';
  end if;
  insert into certvakt.address_confirmations (organisation_id, person_id, address, administrator_id, issuer, proof)
  values (organisation, person, lower(confirm_address.address), administrator, claims ->> 'iss', proof)
  on conflict do nothing;
  if found then
    perform certvakt.notify_person(person, organisation, 'address-confirmed', confirm_address.address);
  end if;
  select count(*), (array_agg(a.confirmed_at order by a.confirmed_at, a.administrator_id))[2] + interval '14 days'
  into confirmations, counts_from
  from certvakt.address_confirmations a
  where a.organisation_id = organisation and a.person_id = person and a.address = lower(confirm_address.address)
    and exists (
      select from certvakt.memberships m
      where m.person_id = a.administrator_id and m.organisation_id = a.organisation_id and m.role = 'org_admin');
end
$$;
comment on function certvakt.confirm_address is
  'Records that the caller, an administrator, confirms a mail address of a member. Returns the number of confirmations, and when they take effect. Null if there is no such member with that address.';

create function certvakt.withdraw_address_confirmations(organisation uuid, person uuid) returns boolean
language plpgsql security definer set search_path = '' as $$
begin
  if not exists (
    select from certvakt.visible_memberships m
    where m.person_id = certvakt.current_person() and m.organisation_id = organisation and m.role = 'org_admin') then
    return false;
  end if;
  delete from certvakt.address_confirmations a
  where a.organisation_id = organisation and a.person_id = person;
  return found;
end
$$;
comment on function certvakt.withdraw_address_confirmations is
  'Deletes the confirmations of a person''s addresses. Any administrator of the organisation may do so. Returns false if there are none.';

-- An address that is removed and added again within ninety days is reported once.
create function certvakt.contact_points_after_delete() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  with gone as (
    select distinct o.person_id, o.organisation_id, o.address
    from old_rows o join certvakt.people p on p.id = o.person_id and p.erased_at is null
    where o.kind = 'email'
      and (o.organisation_id is null or exists (select from certvakt.organisations g where g.id = o.organisation_id))
      and not exists (
        select from certvakt.contact_points k
        where k.person_id = o.person_id and k.kind = 'email' and lower(k.address) = lower(o.address)
          and k.organisation_id is not distinct from o.organisation_id)
  ),
  unconfirmed as (
    delete from certvakt.address_confirmations a using gone
    where a.person_id = gone.person_id and a.address = lower(gone.address)
      and (gone.organisation_id is null or a.organisation_id = gone.organisation_id)
  ),
  -- Two registers can alternate between addresses of a person. Only the first removal is reported.
  news as (
    select gone.* from gone
    where not exists (
      select from certvakt.former_addresses f
      where f.person_id = gone.person_id and f.organisation_id is not distinct from gone.organisation_id
        and f.address = gone.address)
  ),
  kept as (
    insert into certvakt.former_addresses (person_id, organisation_id, address)
    select person_id, organisation_id, address from gone
    on conflict on constraint former_addresses_once do update set left_at = now()
  )
  insert into certvakt.mail_queue (kind, person_id, organisation_id, address, valid_for)
  select 'address-removed', person_id, organisation_id, address, interval '14 days' from news;
  return null;
end
$$;
comment on function certvakt.contact_points_after_delete is
  'Stores a removed mail address as a former address, deletes its confirmations, and queues an e-mail to it.';
create trigger after_delete after delete on certvakt.contact_points referencing old table as old_rows
  for each statement execute function certvakt.contact_points_after_delete();

create function certvakt.contact_points_after_insert() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform certvakt.refuse_erased(array(select n.person_id from new_rows n));
  insert into certvakt.mail_queue (kind, person_id, organisation_id, address, valid_for)
  select distinct 'address-added', k.person_id, n.organisation_id, k.address, interval '14 days'
  from new_rows n
  join certvakt.people p on p.id = n.person_id and p.created_at < n.created_at
  join certvakt.contact_points k on k.person_id = n.person_id and k.kind = 'email' and k.created_at < n.created_at
    and (n.organisation_id is null or k.organisation_id is null or k.organisation_id = n.organisation_id)
    and lower(k.address) <> lower(n.address)
  where n.kind = 'email' and not exists (
    select from certvakt.former_addresses f
    where f.person_id = n.person_id and f.organisation_id is not distinct from n.organisation_id
      and lower(f.address) = lower(n.address));
  return null;
end
$$;
comment on function certvakt.contact_points_after_insert is
  'Refuses a contact point of an erased person, and queues e-mails about a new mail address to the person''s other addresses.';
create trigger after_insert after insert on certvakt.contact_points referencing new table as new_rows
  for each statement execute function certvakt.contact_points_after_insert();

revoke all on function certvakt.is_first_address(uuid, uuid, text), certvakt.accept_invitation(text),
  certvakt.proof_of_person(uuid), certvakt.notify_person(uuid, uuid, text, text, bigint), certvakt.confirm_address(uuid, uuid, text),
  certvakt.withdraw_address_confirmations(uuid, uuid), certvakt.contact_points_after_delete(),
  certvakt.contact_points_after_insert(),
  certvakt.is_confirmed_address(uuid, uuid, text) from public, anon, authenticated, service_role;
grant execute on function certvakt.accept_invitation(text), certvakt.confirm_address(uuid, uuid, text),
  certvakt.withdraw_address_confirmations(uuid, uuid) to authenticated;
grant execute on function certvakt.notify_person(uuid, uuid, text, text, bigint) to certvakt_auth;
alter function certvakt.is_first_address(uuid, uuid, text) owner to certvakt_definer;
alter function certvakt.is_confirmed_address(uuid, uuid, text) owner to certvakt_definer;
alter function certvakt.accept_invitation(text) owner to certvakt_definer;
alter function certvakt.proof_of_person(uuid) owner to certvakt_definer;
alter function certvakt.notify_person(uuid, uuid, text, text, bigint) owner to certvakt_definer;
alter function certvakt.confirm_address(uuid, uuid, text) owner to certvakt_definer;
alter function certvakt.withdraw_address_confirmations(uuid, uuid) owner to certvakt_definer;
alter function certvakt.contact_points_after_delete() owner to certvakt_definer;
alter function certvakt.contact_points_after_insert() owner to certvakt_definer;

-- The access log: one event for each request of a person. It is append-only, and events are kept for a year.

-- A request takes its number in its own transaction, and a background task writes the event later. A sequence never returns
-- a number again, so a number without an event shows that an event was lost. Only the server can take one: as the worker,
-- before the transaction switches to the caller's role.
create sequence certvakt.access_numbers as bigint;
revoke all on sequence certvakt.access_numbers from public, anon, authenticated, service_role;
grant usage on sequence certvakt.access_numbers to certvakt_worker, certvakt_definer;

create table certvakt.access_events (
  number bigint primary key,
  at timestamptz not null,
  person_id uuid,
  method text not null,
  resource text not null,
  resource_id uuid,
  -- squawk-ignore prefer-bigint-over-smallint
  status smallint,
  rows_read bigint not null,
  addresses_read bigint not null default 0,
  organisations_of_person uuid[] not null,
  organisations_of_rows uuid[] not null
);
comment on table certvakt.access_events is
  'Requests of people to the API and the pages. Requests to Supabase''s REST API are not recorded.';
comment on column certvakt.access_events.person_id is
  'The caller. It is not a foreign key, because events are kept after the person is deleted. Null: the service started to record.';
comment on column certvakt.access_events.resource is 'The path, with names in place of its parameters.';
comment on column certvakt.access_events.resource_id is
  'The last id in the path, if it has one. Pages of a person end with the person''s id, so this is the person, or one of their certifications.';
comment on column certvakt.access_events.status is 'The HTTP status. Null: the request was aborted.';
comment on column certvakt.access_events.addresses_read is
  'The number of the rows that are addresses and phone numbers of mentors.';
comment on column certvakt.access_events.organisations_of_person is
  'The organisations of the person when the request began (certvakt.current_organisations).';
comment on column certvakt.access_events.organisations_of_rows is 'The organisations of the rows that were read for the response.';
create index access_events_at on certvakt.access_events using brin (at);
create index access_events_person on certvakt.access_events (person_id, number);
-- The requests about a person or a certification.
create index access_events_resource on certvakt.access_events (resource_id, number) where resource_id is not null;
-- The requests that read rows of an organisation, in their order, without those for one's own pages. Few read rows of several.
create index access_events_organisation on certvakt.access_events ((organisations_of_rows[1]), number)
  where rows_read > 0 and resource not like '/me%' and resource not like '/api/v1/me%';
create index access_events_organisations on certvakt.access_events using gin (organisations_of_rows)
  where cardinality(organisations_of_rows) > 1;
create index access_events_across on certvakt.access_events (number)
  where not organisations_of_rows <@ organisations_of_person;

create trigger refuse_update before update on certvakt.access_events
  for each statement execute function certvakt.refuse_log_rewrite();
create trigger refuse_truncate before truncate on certvakt.access_events
  for each statement execute function certvakt.refuse_log_rewrite();
-- The triggers fire even if session_replication_role is replica.
alter table certvakt.access_events enable always trigger refuse_update;
alter table certvakt.access_events enable always trigger refuse_truncate;

alter table certvakt.access_events enable row level security;
alter table certvakt.access_events force row level security;
revoke all on certvakt.access_events from public, anon, authenticated, service_role;
grant select, insert on certvakt.access_events to certvakt_worker;
create policy worker_reads on certvakt.access_events for select to certvakt_worker using (true);
create policy worker_records on certvakt.access_events for insert to certvakt_worker with check (true);

grant select on certvakt.access_events to certvakt_definer;
create policy definer_reads on certvakt.access_events for select to certvakt_definer using (true);

create function certvakt.access_of(organisation uuid, about_person uuid, by_person uuid, before bigint, how_many bigint)
returns table (
  number bigint, at timestamptz, person_id uuid, name text, method text, resource text, subject_id uuid, subject text,
  status smallint, rows_read bigint, addresses_read bigint)
language plpgsql stable security definer set search_path = '' set plan_cache_mode = force_custom_plan rows 50 as $$
declare
  latest bigint := coalesce(access_of.before, 9223372036854775807);
  subjects uuid[];
  found bigint[];
begin
  if access_of.organisation = any (certvakt.closed_organisations('certifications')) or not exists (
    select from certvakt.visible_memberships m
    where m.person_id = certvakt.current_person() and m.organisation_id = access_of.organisation and m.role = 'org_admin') then
    return;
  end if;
  -- Each branch reads an index in the order of the numbers, and never the log.
  if about_person is not null then
    subjects := array(
      select about_person
      union all
      select c.id from certvakt.visible_certifications c
      where c.peer_mentor_id = about_person and c.organisation_id = access_of.organisation);
    found := array(
      select e.number from unnest(subjects) s (id)
      cross join lateral (
        select e.number from certvakt.access_events e
        where e.resource_id = s.id and e.number < latest and e.organisations_of_rows @> array[access_of.organisation]
          and e.rows_read > 0 and e.resource not like '/me%' and e.resource not like '/api/v1/me%'
          and (by_person is null or e.person_id = by_person)
        order by e.number desc limit how_many) e
      order by e.number desc limit how_many);
  elsif by_person is not null then
    found := array(
      select e.number from certvakt.access_events e
      where e.person_id = by_person and e.number < latest and e.organisations_of_rows @> array[access_of.organisation]
        and e.rows_read > 0 and e.resource not like '/me%' and e.resource not like '/api/v1/me%'
      order by e.number desc limit how_many);
  else
    found := array(
      select e.number from (
        (select e.number from certvakt.access_events e
         where e.organisations_of_rows[1] = access_of.organisation and e.number < latest
           and e.rows_read > 0 and e.resource not like '/me%' and e.resource not like '/api/v1/me%'
         order by e.number desc limit how_many)
        union all
        (select e.number from certvakt.access_events e
         where e.organisations_of_rows @> array[access_of.organisation] and cardinality(e.organisations_of_rows) > 1
           and e.organisations_of_rows[1] <> access_of.organisation and e.number < latest
           and e.rows_read > 0 and e.resource not like '/me%' and e.resource not like '/api/v1/me%'
         order by e.number desc limit how_many)) e
      order by e.number desc limit how_many);
  end if;
  return query
  select e.number, e.at, e.person_id, coalesce(nw.name, w.name), e.method, e.resource, s.id, coalesce(ns.name, s.name),
    e.status, e.rows_read, e.addresses_read
  from certvakt.access_events e
  left join certvakt.people w on w.id = e.person_id
  left join certvakt.person_names nw on nw.person_id = e.person_id and nw.organisation_id = access_of.organisation
  left join certvakt.visible_certifications c on c.id = e.resource_id and c.organisation_id = access_of.organisation
  left join certvakt.people s on s.id = coalesce(c.peer_mentor_id, e.resource_id)
  left join certvakt.person_names ns on ns.person_id = s.id and ns.organisation_id = access_of.organisation
  where e.number = any (found)
  order by e.number desc;
end
$$;
comment on function certvakt.access_of is
  'Returns the requests that read rows of an organisation to its administrators, the latest first: all, or those about a person or a certification of theirs, or those by a person. At most how_many, before the given number. Leaves out requests for one''s own pages.';

-- Retention. Only the owner may delete, and a policy enforces the minimum age, as for the log of notices.
create policy owner_sees_old on certvakt.access_events for select to current_user
  using (at < now() - interval '365 days');
create policy owner_deletes_old on certvakt.access_events for delete to current_user
  using (at < now() - interval '365 days');
create function certvakt.delete_old_access_events(older_than interval, batch integer) returns bigint
language plpgsql security definer set search_path = '' as $$
declare
  deleted bigint;
begin
  delete from certvakt.access_events
  where number in (
    select e.number from certvakt.access_events e
    where e.at < now() - greatest(older_than, interval '365 days')
    limit batch
  );
  get diagnostics deleted = row_count;
  return deleted;
end
$$;
comment on function certvakt.delete_old_access_events is
  'Deletes up to `batch` events that are older than `older_than` and older than 365 days.';

-- Every request begins with this function.
create function certvakt.admission(out person_id uuid, out organisations uuid[], out is_closed boolean, out number bigint)
language plpgsql security definer set search_path = '' as $$
begin
  person_id := certvakt.current_person();
  organisations := certvakt.current_organisations();
  is_closed := coalesce(certvakt.closed_organisations('certifications') && organisations, true);
  if person_id is not null then
    number := nextval('certvakt.access_numbers');
  end if;
end
$$;
comment on function certvakt.admission is
  'Returns the caller''s person and organisations, whether access is closed, and the number of the access event.';

revoke all on function certvakt.delete_old_access_events(interval, integer), certvakt.admission(),
  certvakt.access_of(uuid, uuid, uuid, bigint, bigint) from public, anon, authenticated, service_role;
grant execute on function certvakt.delete_old_access_events(interval, integer), certvakt.admission() to certvakt_worker;
grant execute on function certvakt.access_of(uuid, uuid, uuid, bigint, bigint) to authenticated;
alter function certvakt.admission() owner to certvakt_definer;
alter function certvakt.access_of(uuid, uuid, uuid, bigint, bigint) owner to certvakt_definer;
