-- What the API answers beyond single rows, and the answers that it remembers.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

-- Whose people no channel reaches, and the notices of some time, the latest first. As notices_of, they show
-- nothing of a certification that who is asking may not see.
create function certvakt.recent_notices(since timestamptz, before bigint, of_chapter uuid, of_stage text, of_state text, how_many integer)
returns table (
  id bigint, organisation_id uuid, chapter_id uuid, certification_id uuid, mentor_id uuid, stage text, due_date date,
  recorded_at timestamptz, state text, reason text, finished_at timestamptz)
language sql stable security definer set search_path = ''
begin atomic
  with asking as materialized (
    select certvakt.current_person() as person, certvakt.visible_chapters() as chapters,
      certvakt.visible_elsewhere() as elsewhere, certvakt.closed_organisations('certifications') as closed
  )
  select d.id, c.organisation_id, c.chapter_id, c.id, c.peer_mentor_id, d.stage, d.due_date, l.sent_at, d.state, d.reason,
    d.finished_at
  from asking
  cross join public.cert_notification_log l
  join certvakt.deliveries d on d.id = l.id
  join public.peer_mentor_certifications c on c.id = l.certification_id
  where l.sent_at >= since and (before is null or l.id < before)
    and (of_chapter is null or c.chapter_id = of_chapter)
    and (of_stage is null or d.stage = of_stage)
    and (of_state is null or d.state = of_state)
    and c.organisation_id <> all (asking.closed)
    and (c.chapter_id = any (asking.chapters) or c.peer_mentor_id = asking.person or c.id = any (asking.elsewhere))
  order by l.id desc
  limit how_many;
end;
comment on function certvakt.recent_notices is
  'Notices recorded since a time, and before one of them if that is given, the latest first; of a chapter, stage and state, if those are given.';

create function certvakt.unreachable_notices(before bigint, of_chapter uuid, how_many integer)
returns table (
  id bigint, organisation_id uuid, chapter_id uuid, certification_id uuid, mentor_id uuid, stage text, due_date date,
  recorded_at timestamptz)
language sql stable security definer set search_path = ''
begin atomic
  with asking as materialized (
    select certvakt.current_person() as person, certvakt.visible_chapters() as chapters,
      certvakt.visible_elsewhere() as elsewhere, certvakt.closed_organisations('certifications') as closed
  )
  select d.id, c.organisation_id, c.chapter_id, c.id, c.peer_mentor_id, d.stage, d.due_date, l.sent_at
  from asking
  cross join certvakt.deliveries d
  join public.cert_notification_log l on l.id = d.id
  join public.peer_mentor_certifications c on c.id = l.certification_id
  where d.finished_at is null and d.available_at is null and (before is null or d.id < before)
    and (of_chapter is null or c.chapter_id = of_chapter)
    and c.organisation_id <> all (asking.closed)
    and (c.chapter_id = any (asking.chapters) or c.peer_mentor_id = asking.person or c.id = any (asking.elsewhere))
  order by d.id desc
  limit how_many;
end;
comment on function certvakt.unreachable_notices is
  'Notices that no channel can hand to their mentors, before one of them if that is given, the latest first; of a chapter, if that is given.';

-- The dates come in as each organisation's time zone has them; the stages are the pure rules'.
create function certvakt.coming_notices(
  organisations uuid[], time_zones text[], stages text[], days_before integer[], since timestamptz[], before timestamptz[],
  told_again_after integer)
returns table (organisation_id uuid, night date, stage text, notices bigint)
language sql stable security definer set search_path = ''
begin atomic
  with asking as materialized (
    select certvakt.current_person() as person, certvakt.visible_chapters() as chapters,
      certvakt.visible_elsewhere() as elsewhere, certvakt.closed_organisations('certifications') as closed
  ),
  coming as (
    select c.id, c.organisation_id, s.stage, (c.expires_at at time zone s.time_zone)::date - s.days_before as night
    from asking
    cross join unnest(organisations, time_zones, stages, days_before, since, before)
      as s (organisation_id, time_zone, stage, days_before, since, before)
    join public.peer_mentor_certifications c
      on c.organisation_id = s.organisation_id and c.status <> 'suspended' and c.expires_at >= s.since and c.expires_at < s.before
    where c.organisation_id <> all (asking.closed)
      and (c.chapter_id = any (asking.chapters) or c.peer_mentor_id = asking.person or c.id = any (asking.elsewhere))
  )
  select coming.organisation_id, coming.night, coming.stage, count(*)
  from coming
  where not exists (
    select from certvakt.told_before_correction(coming.organisation_id) told
    where told.certification_id = coming.id and told.stage = coming.stage
      and coming.night - told.due_date < coming_notices.told_again_after)
  group by coming.organisation_id, coming.night, coming.stage;
end;
comment on function certvakt.coming_notices is
  'How many notices come due on which night in which stage, of the certifications that who is asking may see; expiries from since until before.';
grant select on certvakt.certification_changes to certvakt_definer;
create policy definer_reads on certvakt.certification_changes for select to certvakt_definer using (true);
grant execute on function certvakt.told_before_correction to certvakt_definer;

-- A request that creates something says a key of its own making; sent again, it is answered again and does
-- nothing (draft-ietf-httpapi-idempotency-key-header). The answer stands in the transaction of what it tells of.
create table certvakt.idempotency_keys (
  person_id uuid not null references certvakt.people (id) on delete cascade,
  key text not null constraint idempotency_keys_form check (length(key) between 1 and 255),
  request_hash bytea not null,
  answer jsonb,
  created_at timestamptz not null default now(),
  primary key (person_id, key)
);
comment on table certvakt.idempotency_keys is 'Answers to requests that may be sent again, for a day.';
comment on column certvakt.idempotency_keys.request_hash is 'SHA-256 of what was asked for: a key stands for one request.';
comment on column certvakt.idempotency_keys.answer is 'What was answered; null while the transaction is under way.';
alter table certvakt.idempotency_keys enable row level security;
alter table certvakt.idempotency_keys force row level security;
revoke all on certvakt.idempotency_keys from public, anon, authenticated, service_role;
grant select, insert (person_id, key, request_hash), update (answer), delete on certvakt.idempotency_keys to authenticated;
create policy people_keep on certvakt.idempotency_keys to authenticated
  using (person_id = (select certvakt.current_person())) with check (person_id = (select certvakt.current_person()));

-- The service forgets them, whoever does not come back.
create index idempotency_keys_created on certvakt.idempotency_keys (created_at);
grant select (created_at), delete on certvakt.idempotency_keys to certvakt_registrar;
create policy registrar_forgets on certvakt.idempotency_keys to certvakt_registrar using (true) with check (false);

-- A register that an administrator hands over: kept until the service has taken it in.
create table certvakt.uploads (
  id uuid primary key default certvakt.uuid_v7(),
  organisation_id uuid not null,
  chapter_id uuid not null,
  person_id uuid default certvakt.current_person() references certvakt.people (id) on delete set null,
  options jsonb not null,
  content bytea,
  -- Ended after a few.
  -- squawk-ignore prefer-bigint-over-int
  attempt integer not null default 0,
  state text not null default 'waiting' constraint uploads_state_known
    check (state in ('waiting', 'received', 'taken', 'refused')),
  result jsonb,
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  constraint uploads_chapter_inside_organisation
    foreign key (organisation_id, chapter_id) references certvakt.chapters (organisation_id, id) on delete cascade,
  constraint uploads_content_while_received check ((state = 'received') = (content is not null)),
  constraint uploads_finished_with_a_result check ((state in ('taken', 'refused')) = (finished_at is not null and result is not null))
);
comment on table certvakt.uploads is 'Registers handed over through the API, and what became of them.';
comment on column certvakt.uploads.state is
  'waiting for its content -> received -> taken or refused. The content goes when it has been read.';
create index uploads_chapter on certvakt.uploads (organisation_id, chapter_id);
create index uploads_person on certvakt.uploads (person_id);
create index uploads_received on certvakt.uploads (attempt, created_at) where state = 'received';
create index uploads_created on certvakt.uploads (created_at);
alter table certvakt.uploads enable row level security;
alter table certvakt.uploads force row level security;
revoke all on certvakt.uploads from public, anon, authenticated, service_role;
grant select (id, organisation_id, chapter_id, person_id, options, state, result, created_at, finished_at),
  insert (organisation_id, chapter_id, options), update (content, state) on certvakt.uploads to authenticated;
-- A register speaks of the whole organisation, so it is an administrator's to hand over.
create policy people_upload on certvakt.uploads for insert to authenticated with check (state = 'waiting' and exists (
  select from certvakt.visible_memberships m
  where m.person_id = (select certvakt.current_person()) and m.organisation_id = uploads.organisation_id and m.role = 'org_admin'));
create policy people_see on certvakt.uploads for select to authenticated using (exists (
  select from certvakt.visible_memberships m
  where m.person_id = (select certvakt.current_person()) and m.organisation_id = uploads.organisation_id and m.role = 'org_admin'));
create policy people_hand_over on certvakt.uploads for update to authenticated
  using (state = 'waiting' and exists (
  select from certvakt.visible_memberships m
  where m.person_id = (select certvakt.current_person()) and m.organisation_id = uploads.organisation_id and m.role = 'org_admin')) with check (state = 'received');
grant select, update (content, attempt, state, result, finished_at), delete on certvakt.uploads to certvakt_registrar;
create policy registrar_takes on certvakt.uploads to certvakt_registrar using (true) with check (true);

do $$
declare
  asked text;
begin
  foreach asked in array array[
    'recent_notices(timestamptz, bigint, uuid, text, text, integer)', 'unreachable_notices(bigint, uuid, integer)',
    'coming_notices(uuid[], text[], text[], integer[], timestamptz[], timestamptz[], integer)'
  ] loop
    execute format('revoke all on function certvakt.%s from public, anon, service_role', asked);
    execute format('grant execute on function certvakt.%s to authenticated', asked);
    execute format('alter function certvakt.%s owner to certvakt_definer', asked);
  end loop;
end
$$;
