-- People see in which browsers they are signed in, end that, and hear of a browser that is new. A session says how strong
-- the sign-in was, as far as the provider said so.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

-- Sessions are few, and nobody waits long for what this reads.
alter table certvakt.sessions
  add column browser text not null default '' constraint sessions_browser_form check (length(browser) <= 100),
  add column authenticated_at timestamptz,
  add column acr text constraint sessions_acr_form check (length(acr) between 1 and 255);
comment on column certvakt.sessions.browser is 'The browser and its system, as it names itself, like Firefox, Windows; empty: it does not.';
comment on column certvakt.sessions.authenticated_at is
  'When the provider last authenticated the person (auth_time of OpenID Connect Core 1.0, section 2); null: it did not say.';
comment on column certvakt.sessions.acr is 'How, in the provider''s words (acr of the same section); null: it did not say.';

create table certvakt.known_browsers (
  token_hash bytea not null constraint known_browsers_token_hash_form check (length(token_hash) = 32),
  person_id uuid not null references certvakt.people (id) on delete cascade,
  seen_at timestamptz not null default now(),
  primary key (person_id, token_hash)
);
comment on table certvakt.known_browsers is
  'Browsers in which a person has signed in during the last 400 days. A session in any other is told of by mail.';
comment on column certvakt.known_browsers.token_hash is 'SHA-256 of the value in the cookie, which nobody keeps but the browser.';
alter table certvakt.known_browsers enable row level security;
alter table certvakt.known_browsers force row level security;
revoke all on certvakt.known_browsers from public, anon, authenticated, service_role;
grant select, insert (token_hash, person_id), update (seen_at), delete on certvakt.known_browsers to certvakt_doorkeeper;
create policy doorkeeper_keeps on certvakt.known_browsers to certvakt_doorkeeper using (true) with check (true);
grant select (person_id, seen_at) on certvakt.known_browsers to certvakt_worker;
create policy worker_reads on certvakt.known_browsers for select to certvakt_worker using (true);
grant select (person_id), delete on certvakt.known_browsers to certvakt_registrar;
create policy registrar_erases on certvakt.known_browsers to certvakt_registrar using (true) with check (false);

grant insert (browser, authenticated_at, acr), select (authenticated_at, acr) on certvakt.sessions to certvakt_doorkeeper;
grant select (browser, address) on certvakt.sessions to certvakt_worker;
-- Whose login a session is of.
grant select (issuer, subject, person_id) on certvakt.identities to certvakt_doorkeeper;
create policy doorkeeper_reads on certvakt.identities for select to certvakt_doorkeeper using (true);
grant delete on certvakt.sessions to certvakt_definer;
create policy definer_ends on certvakt.sessions for delete to certvakt_definer using (true);

-- An app with a hierarchy of its own may know people otherwise than by identities.
create function certvakt.my_logins() returns table (issuer text, subject text)
language sql stable security definer set search_path = ''
begin atomic
  select i.issuer, i.subject from certvakt.identities i where i.person_id = (select certvakt.current_person())
  union
  select claims ->> 'iss', claims ->> 'sub'
  from (select nullif(current_setting('request.jwt.claims', true), '')::jsonb as claims) given
  where (select certvakt.current_person()) is not null;
end;
comment on function certvakt.my_logins is 'The logins of the caller: the one that asks, and the others of the same person.';
revoke all on function certvakt.my_logins() from public, anon, authenticated, service_role;
grant execute on function certvakt.my_logins() to certvakt_definer;
alter function certvakt.my_logins() owner to certvakt_definer;

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
comment on function certvakt.my_sessions is 'Where the caller is signed in with a browser.';

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
  'Ends a session of the caller''s, or all but the one that asks; how many that were.';

do $$
declare
  asked text;
begin
  foreach asked in array array['my_sessions()', 'end_my_sessions(uuid)'] loop
    execute format('revoke all on function certvakt.%s from public, anon, service_role', asked);
    execute format('grant execute on function certvakt.%s to authenticated', asked);
    execute format('alter function certvakt.%s owner to certvakt_definer', asked);
  end loop;
end
$$;
