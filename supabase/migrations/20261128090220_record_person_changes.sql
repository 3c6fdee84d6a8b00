-- What happened to people in an organisation: they died or left, came back, moved to another chapter, got or lost a role, or were merged with another, or somebody corrected their addresses.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

create table certvakt.person_changes (
  id uuid primary key default certvakt.uuid_v7(),
  organisation_id uuid not null references certvakt.organisations (id) on delete cascade,
  person_id uuid not null references certvakt.people (id) on delete cascade,
  kind text not null constraint person_changes_kind_known
    check (kind in ('deceased', 'left', 'returned', 'moved', 'appointed', 'relieved', 'promoted', 'demoted', 'joined', 'retired', 'merged', 'absorbed',
      'email_added', 'email_removed', 'phone_added', 'phone_removed')),
  chapter_before uuid,
  chapter_after uuid,
  successor_id uuid references certvakt.people (id) on delete set null
    constraint person_changes_successor_of_merge check (successor_id is null or kind = 'merged'),
  made_at timestamptz not null default clock_timestamp(),
  made_by uuid references certvakt.people (id) on delete set null,
  constraint person_changes_chapters_of_kind check (case kind
    when 'moved' then true
    when 'appointed' then chapter_before is null
    when 'joined' then chapter_before is null
    when 'relieved' then chapter_after is null
    when 'retired' then chapter_after is null
    else num_nonnulls(chapter_before, chapter_after) = 0 end),
  -- The undo of an import deletes the chapters that it added.
  constraint person_changes_before_inside_organisation foreign key (organisation_id, chapter_before)
    references certvakt.chapters (organisation_id, id) on delete set null (chapter_before),
  constraint person_changes_after_inside_organisation foreign key (organisation_id, chapter_after)
    references certvakt.chapters (organisation_id, id) on delete set null (chapter_after)
);
comment on table certvakt.person_changes is
  'What happened to people in an organisation. Rows are added, and leave with the person or their erasure.';
comment on column certvakt.person_changes.kind is
  'deceased and left end everything of the person in the organisation, until they have returned. moved: to another chapter. appointed: as coordinator of chapter_after. relieved: no longer coordinator of chapter_before. promoted and demoted: became administrator, and is no longer. joined: an administrator made them a mentor of chapter_after. retired: no longer a mentor of chapter_before. merged: they are the same person as successor_id, who absorbed them; everything of theirs in the organisation has ended. email_added, email_removed, phone_added and phone_removed: a coordinator corrected the addresses, which the row does not contain.';
comment on column certvakt.person_changes.made_by is 'The person who recorded it.';
create index person_changes_person on certvakt.person_changes (person_id, organisation_id);
-- There are few, so imports and inserts look through them instead of looking up each person.
create index person_changes_ended on certvakt.person_changes (organisation_id, person_id)
  where kind in ('deceased', 'left', 'merged');
create index person_changes_successor on certvakt.person_changes (successor_id);
create index person_changes_made_by on certvakt.person_changes (made_by);
create index person_changes_before on certvakt.person_changes (organisation_id, chapter_before);
create index person_changes_after on certvakt.person_changes (organisation_id, chapter_after);

alter table certvakt.person_changes enable row level security;
alter table certvakt.person_changes force row level security;
revoke all on certvakt.person_changes from public, anon, authenticated, service_role;
grant select on certvakt.person_changes to certvakt_worker;
create policy worker_reads on certvakt.person_changes for select to certvakt_worker using (true);
-- The registrar rejects rows about people who have ended, and erases people.
grant select, delete on certvakt.person_changes to certvakt_registrar;
create policy registrar_reads on certvakt.person_changes for select to certvakt_registrar using (true);
create policy registrar_erases on certvakt.person_changes for delete to certvakt_registrar using (true);
grant select, insert (organisation_id, person_id, kind, chapter_before, chapter_after, successor_id, made_by)
  on certvakt.person_changes to certvakt_definer;
create policy definer_reads on certvakt.person_changes for select to certvakt_definer using (true);
create policy definer_records on certvakt.person_changes for insert to certvakt_definer with check (true);

create view certvakt.ended_people with (security_invoker = true) as
select e.organisation_id, e.person_id
from certvakt.person_changes e
where e.kind in ('deceased', 'left', 'merged')
  and not exists (
    select from certvakt.person_changes r
    where r.person_id = e.person_id and r.organisation_id = e.organisation_id and r.kind = 'returned' and r.made_at > e.made_at);
comment on view certvakt.ended_people is 'The people who died or left, in each organisation, and have not returned, and those who were merged with another.';
revoke all on certvakt.ended_people from public, anon, authenticated, service_role;
grant select on certvakt.ended_people to certvakt_registrar, certvakt_definer;

create function certvakt.refuse_ended(organisations uuid[], people uuid[]) returns void
language plpgsql set search_path = '' as $$
begin
  -- With a join, PostgreSQL reads the few who have ended instead of looking up each of many new ones.
  if exists (
    select from unnest(refuse_ended.organisations, refuse_ended.people) given (organisation_id, person_id)
    join certvakt.ended_people e on e.organisation_id = given.organisation_id and e.person_id = given.person_id) then
    raise exception 'the person has died or left: nothing can be added for them'
      using errcode = 'restrict_violation', constraint = 'person_ended',
        hint = 'If that is not so, an administrator records on the page of a certification that the person is back.';
  end if;
end
$$;
comment on function certvakt.refuse_ended is 'Raises an error if any of the people has died or left in the organisation beside them.';
revoke all on function certvakt.refuse_ended(uuid[], uuid[]) from public, anon, authenticated, service_role;
grant execute on function certvakt.refuse_ended(uuid[], uuid[]) to certvakt_definer;
