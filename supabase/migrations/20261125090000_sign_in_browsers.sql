-- How people come in with a browser: sessions, and the letters that carry a token to a mail address.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

create table certvakt.sessions (
  token_hash bytea primary key constraint sessions_token_hash_form check (length(token_hash) = 32),
  issuer text not null constraint sessions_issuer_form check (length(issuer) between 1 and 500),
  subject text not null constraint sessions_subject_form check (length(subject) between 1 and 255),
  created_at timestamptz not null default now(),
  seen_at timestamptz not null default now(),
  expires_at timestamptz not null default now() + interval '7 days'
);
comment on table certvakt.sessions is
  'Browsers that are signed in. A session speaks for a login, as a token does; identities say whose it is.';
comment on column certvakt.sessions.token_hash is 'SHA-256 of the value in the cookie, which nobody keeps but the browser.';
comment on column certvakt.sessions.seen_at is 'When it was last used, to five minutes; twelve hours later it is over.';

create table certvakt.letters (
  id uuid primary key default certvakt.uuid_v7(),
  kind text not null constraint letters_kind_known check (kind in ('link', 'invitation')),
  person_id uuid not null references certvakt.people (id) on delete cascade,
  contact_point_id uuid not null references certvakt.contact_points (id) on delete cascade,
  requested_by uuid references certvakt.people (id) on delete set null,
  requested_at timestamptz not null default now(),
  good_for interval not null constraint letters_good_for_range check (good_for between '1 minute' and '14 days'),
  mail_due_at timestamptz default now(),
  token_hash bytea constraint letters_token_hash_unique unique
    constraint letters_token_hash_form check (length(token_hash) = 32),
  expires_at timestamptz,
  mailed_at timestamptz,
  used_at timestamptz,
  constraint letters_token_expires check ((token_hash is null) = (expires_at is null))
);
comment on table certvakt.letters is
  'Mails that carry a token, to be sent or sent: links to sign in with, and invitations.';
comment on column certvakt.letters.requested_by is 'Who asked for the invitation; null: a link, which anybody may ask for.';
comment on column certvakt.letters.good_for is 'How long it may be mailed after it was asked for, and how long its token is good after that.';
comment on column certvakt.letters.mail_due_at is 'When it is mailed, or is mailed again unless it is known to have left; null: not any more.';
comment on column certvakt.letters.token_hash is 'SHA-256 of the token in the mail that was sent last. An invitation''s is in invitations as well.';
comment on column certvakt.letters.used_at is 'When somebody signed in with the link.';
create index letters_person on certvakt.letters (person_id);
create index letters_contact_point on certvakt.letters (contact_point_id);
create index letters_requested_by on certvakt.letters (requested_by);
create index letters_due on certvakt.letters (mail_due_at) where mail_due_at is not null;

do $$
declare
  relation text;
begin
  foreach relation in array array['sessions', 'letters'] loop
    execute format('alter table certvakt.%I enable row level security', relation);
    execute format('alter table certvakt.%I force row level security', relation);
    execute format('revoke all on certvakt.%I from public, anon, authenticated, service_role', relation);
    execute format('create policy doorkeeper_keeps on certvakt.%I to certvakt_doorkeeper using (true) with check (true)', relation);
  end loop;
end
$$;
grant select, insert (token_hash, issuer, subject), update (seen_at), delete on certvakt.sessions to certvakt_doorkeeper;
grant select, insert (kind, person_id, contact_point_id, good_for),
  update (token_hash, expires_at, mail_due_at, mailed_at, used_at), delete on certvakt.letters to certvakt_doorkeeper;

-- What a letter is written with.
grant select (id, name, locale) on certvakt.people to certvakt_doorkeeper;
create policy doorkeeper_reads on certvakt.people for select to certvakt_doorkeeper using (true);
grant select (id, person_id, kind, address) on certvakt.contact_points to certvakt_doorkeeper;
create policy doorkeeper_reads on certvakt.contact_points for select to certvakt_doorkeeper using (kind = 'email');
grant select (person_id, organisation_id) on certvakt.memberships to certvakt_doorkeeper;
create policy doorkeeper_reads on certvakt.memberships for select to certvakt_doorkeeper using (true);
grant select (id, locale) on certvakt.organisations to certvakt_doorkeeper;
create policy doorkeeper_reads on certvakt.organisations for select to certvakt_doorkeeper using (true);
grant select (token_hash, used_at, expires_at), insert (person_id, token_hash, expires_at), delete
  on certvakt.invitations to certvakt_doorkeeper;
create policy doorkeeper_keeps on certvakt.invitations to certvakt_doorkeeper using (true) with check (true);

-- A policy keeps the index of mail addresses from whoever it binds: lower() might tell what it is given. So
-- this looks them up with the rights of its owner, instead of reading every address.
create function certvakt.people_of_address(address text) returns table (person_id uuid, contact_point_id uuid)
language sql stable security definer set search_path = ''
begin atomic
  select distinct on (p.person_id) p.person_id, p.id
  from certvakt.contact_points p
  where p.kind = 'email' and lower(p.address) = lower(people_of_address.address)
  order by p.person_id, p.id;
end;
comment on function certvakt.people_of_address is
  'The people who have a mail address, in whatever case it is written, and the contact point that each has it in.';
revoke all on function certvakt.people_of_address(text) from public, anon, authenticated, service_role;
grant execute on function certvakt.people_of_address(text) to certvakt_doorkeeper;
grant select (address) on certvakt.contact_points to certvakt_definer;
alter function certvakt.people_of_address(text) owner to certvakt_definer;

-- The one login that is made without an invitation: whoever reads a person's mail.
grant insert (issuer, subject, person_id) on certvakt.identities to certvakt_doorkeeper;
create policy doorkeeper_adds_links on certvakt.identities for insert to certvakt_doorkeeper
  with check (issuer = 'urn:certvakt:link' and subject = person_id::text);

grant select, insert (kind, person_id, contact_point_id, requested_by, good_for) on certvakt.letters to certvakt_definer;
create policy definer_invites on certvakt.letters to certvakt_definer using (true) with check (kind = 'invitation');

create function certvakt.invite(person uuid) returns boolean
language plpgsql security definer set search_path = '' as $$
declare
  visible uuid[] := certvakt.visible_chapters();
  address uuid;
begin
  select p.id into address from certvakt.contact_points p
  where p.person_id = invite.person and p.kind = 'email'
    and exists (
      select from certvakt.memberships m where m.person_id = invite.person and m.chapter_id = any (visible))
  order by p.id limit 1;
  if address is null then
    return false;
  end if;
  insert into certvakt.letters (kind, person_id, contact_point_id, requested_by, good_for)
  select 'invitation', invite.person, address, certvakt.current_person(), interval '14 days'
  where not exists (
    select from certvakt.letters l
    where l.person_id = invite.person and l.kind = 'invitation' and l.requested_at > now() - interval '10 minutes');
  return true;
end
$$;
comment on function certvakt.invite is
  'Has an invitation mailed to somebody in a visible chapter, unless one was asked for ten minutes ago or less; false: there is no such person with a mail address.';
revoke all on function certvakt.invite(uuid) from public, anon, service_role;
grant execute on function certvakt.invite(uuid) to authenticated;
alter function certvakt.invite(uuid) owner to certvakt_definer;
