-- Contacts: what a coordinator records after they reached, or tried to reach, a mentor.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

create table certvakt.contacts (
  id uuid primary key default certvakt.uuid_v7(),
  certification_id uuid not null references public.peer_mentor_certifications (id) on delete cascade,
  -- A copy of the certification's, so that an index finds the next contacts of a chapter. Moves keep it up to date.
  chapter_id uuid not null,
  -- A contact is about one end of the validity: after a renewal it no longer counts.
  expires_at timestamptz,
  outcome text not null
    constraint contacts_outcome_known check (outcome in ('reached', 'no_answer', 'letter_sent', 'booked', 'stops')),
  next_on date constraint contacts_next_on_plausible check (next_on between '2000-01-01' and '9998-12-31'),
  note text constraint contacts_note_form check (length(note) between 1 and 500)
    constraint contacts_note_plain check (translate(note, e'\n\r\t', '') !~ certvakt.forbidden_characters()),
  made_at timestamptz not null default now(),
  made_by uuid references certvakt.people (id) on delete set null,
  -- Those who stop need no further contact.
  constraint contacts_stops_is_last check (outcome <> 'stops' or next_on is null)
);
comment on table certvakt.contacts is
  'What coordinators recorded after they reached a mentor, or tried to. Until next_on, the certification needs nobody.';
comment on column certvakt.contacts.chapter_id is 'The chapter of the certification, also after it has moved.';
comment on column certvakt.contacts.expires_at is 'The end of the validity that the contact was about.';
comment on column certvakt.contacts.next_on is
  'The day on which somebody should contact the mentor again, in the organisation''s time zone. Null: nobody needs to, until the date changes.';
comment on column certvakt.contacts.note is 'What was said, in the words of the coordinator.';
create index contacts_certification on certvakt.contacts (certification_id, made_at desc, id desc);
create index contacts_made_by on certvakt.contacts (made_by, made_at desc);
create index contacts_next on certvakt.contacts (chapter_id, next_on, id) where next_on is not null;

alter table certvakt.contacts enable row level security;
alter table certvakt.contacts force row level security;
revoke all on certvakt.contacts from public, anon, authenticated, service_role;
grant select on certvakt.contacts to certvakt_worker, certvakt_definer;
create policy worker_reads on certvakt.contacts for select to certvakt_worker using (true);
create policy definer_reads on certvakt.contacts for select to certvakt_definer using (true);
-- After a move of the certification.
grant update (chapter_id) on certvakt.contacts to certvakt_definer;
create policy definer_moves on certvakt.contacts for update to certvakt_definer using (true) with check (true);
-- For the erasure of a person.
grant select, delete on certvakt.contacts to certvakt_registrar;
create policy registrar_reads on certvakt.contacts for select to certvakt_registrar using (true);
create policy registrar_deletes on certvakt.contacts for delete to certvakt_registrar using (true);
-- The policy of certifications decides which contacts a person sees.
grant select (id, certification_id, chapter_id, expires_at, outcome, next_on, note, made_at, made_by),
  insert (id, certification_id, chapter_id, expires_at, outcome, next_on, note, made_by), delete on certvakt.contacts to authenticated;
-- `offset 0` makes PostgreSQL look up the certification of each contact, and not read all that the person sees.
create policy people_see on certvakt.contacts for select to authenticated using (
  exists (select from public.peer_mentor_certifications c where c.id = contacts.certification_id offset 0));
create policy people_record on certvakt.contacts for insert to authenticated with check (
  made_by = (select certvakt.current_person())
  and exists (
    select from public.peer_mentor_certifications c
    where c.id = contacts.certification_id and c.chapter_id = contacts.chapter_id
      and c.chapter_id = any ((select certvakt.visible_chapters())::uuid[])
      and c.peer_mentor_id <> (select certvakt.current_person())));
create policy people_undo on certvakt.contacts for delete to authenticated using (
  made_by = (select certvakt.current_person()) and made_at > now() - interval '1 day');

-- For functions that run as certvakt_definer.
create view certvakt.visible_contact_points as
select c.id as certification_id, c.organisation_id, k.person_id, k.id, k.kind,
  case when c.chapter_id = any ((select certvakt.visible_chapters())::uuid[])
    and (k.kind = 'phone' or k.kind = 'email' and k.organisation_id is not null) then k.address end as address,
  k.organisation_id is null as is_own
from certvakt.visible_certifications c
join certvakt.contact_points k on k.person_id = c.peer_mentor_id
  and (k.organisation_id is null or k.organisation_id = c.organisation_id)
where c.chapter_id = any ((select certvakt.visible_chapters())::uuid[]) or c.peer_mentor_id = (select certvakt.current_person());
comment on view certvakt.visible_contact_points is
  'The contact points of the mentors of certifications that their notices can use, and phone numbers, for the mentor and for those who manage the chapter. The latter also get the addresses of the organisation, and the phone numbers that the mentor added for them. The mentor''s own mail addresses stay theirs.';
revoke all on certvakt.visible_contact_points from public, anon, authenticated, service_role;
alter view certvakt.visible_contact_points owner to certvakt_definer;

create function certvakt.addresses_of(certification uuid)
returns table (
  organisation_id uuid, id uuid, kind text, address text, is_own boolean, is_declined boolean, has_refused boolean)
language sql stable security definer set search_path = ''
begin atomic
  select k.organisation_id, k.id, k.kind, k.address, k.is_own,
    exists (select from certvakt.channel_opt_outs o where o.person_id = k.person_id and o.kind = k.kind),
    exists (
      select from public.cert_notification_log l join certvakt.deliveries d on d.id = l.id
      where l.certification_id = k.certification_id and d.finished_at is null and k.id = any (d.refused))
  from certvakt.visible_contact_points k
  where k.certification_id = addresses_of.certification
  order by k.kind desc, k.is_own desc, k.id;
end;
comment on function certvakt.addresses_of is
  'Returns the contact points of the mentor of a certification, whether the mentor declined the kind of each, and whether it refused a notice that nobody has got yet. The address is null if the caller may not read it.';

create function certvakt.readable_addresses(certifications uuid[], kinds text[])
returns table (certification_id uuid, organisation_id uuid, kind text, address text)
language sql stable security definer set search_path = ''
begin atomic
  select k.certification_id, k.organisation_id, k.kind, k.address
  from certvakt.visible_contact_points k
  where k.certification_id = any (readable_addresses.certifications) and k.kind = any (readable_addresses.kinds)
    and k.address is not null
  group by k.certification_id, k.organisation_id, k.kind, k.address
  order by bool_or(k.is_own) desc, k.address;
end;
comment on function certvakt.readable_addresses is
  'Returns the addresses of some kinds of the mentors of certifications that the caller may read, each once for a certification, the mentor''s own first.';

revoke all on function certvakt.addresses_of(uuid), certvakt.readable_addresses(uuid[], text[])
  from public, anon, authenticated, service_role;
grant execute on function certvakt.addresses_of(uuid), certvakt.readable_addresses(uuid[], text[]) to authenticated;
alter function certvakt.addresses_of(uuid) owner to certvakt_definer;
alter function certvakt.readable_addresses(uuid[], text[]) owner to certvakt_definer;
