-- What a page of certifications asks, with fewer looks at the same rows. What is promised stays as it was.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

-- Only their owner may replace functions.
set local role certvakt_definer;

create or replace function certvakt.closed_organisations(resource text) returns uuid[]
language plpgsql stable security definer set search_path = '' as $$
begin
  return (
    select case when bool_and(c.organisation_id is not null) is not false
      then coalesce(array_agg(c.organisation_id), '{}') end
    from certvakt.access_closures c
    where c.resource = closed_organisations.resource and c.opened_at is null);
end
$$;

reset role;

-- Says as well whether a mentor was erased, and adds itself what is visible for another reason than its chapter, for
-- which a page asked in_sight(). That stays for the release before.
create function certvakt.certification_details(certifications uuid[], and_elsewhere boolean)
returns table (
  id uuid, organisation_id uuid, chapter_id uuid, chapter text, mentor_id uuid, mentor text, is_mentor_erased boolean,
  type_code text, type_name text, external_id text, issued_at timestamptz, expires_at timestamptz, status text,
  updated_at timestamptz, time_zone text, expired_grace_days smallint)
language plpgsql stable security definer set search_path = '' set plan_cache_mode = force_generic_plan rows 50 as $$
declare
  person uuid := certvakt.current_person();
  chapters uuid[] := certvakt.visible_chapters();
  elsewhere uuid[] := certvakt.elsewhere_of(chapters);
  closed uuid[] := certvakt.closed_organisations('certifications');
  wanted uuid[] := certification_details.certifications;
begin
  if and_elsewhere then
    wanted := wanted || elsewhere
      || array(select c.id from public.peer_mentor_certifications c where c.peer_mentor_id = person);
  end if;
  return query
  with found as materialized (
    select c.id, c.organisation_id, c.chapter_id, c.peer_mentor_id, c.certification_type, c.external_id, c.issued_at,
      c.expires_at, c.status, c.updated_at
    from public.peer_mentor_certifications c
    where c.id = any (wanted)
      -- As the policies of the certifications say.
      and c.organisation_id <> all (closed)
      and (c.chapter_id = any (chapters) or c.peer_mentor_id = person or c.id = any (elsewhere))
  ),
  -- What many share is read once.
  types as materialized (
    select o.id as organisation_id, o.time_zone, o.expired_grace_days, t.code, t.name
    from certvakt.organisations o join certvakt.certification_types t on t.organisation_id = o.id
    where o.id = any (array(select distinct f.organisation_id from found f))
  ),
  named_chapters as materialized (
    select h.id, h.name from certvakt.chapters h where h.id = any (array(select distinct f.chapter_id from found f))
  )
  select c.id, c.organisation_id, c.chapter_id, h.name, c.peer_mentor_id, p.name, p.erased_at is not null,
    c.certification_type, t.name, c.external_id, c.issued_at, c.expires_at, c.status, c.updated_at, t.time_zone,
    t.expired_grace_days
  from found c
  join types t on t.organisation_id = c.organisation_id and t.code = c.certification_type
  join certvakt.people p on p.id = c.peer_mentor_id
  -- Of a chapter that is not visible, it is known to whoever it certified.
  left join named_chapters h on h.id = c.chapter_id and (h.id = any (chapters) or c.peer_mentor_id = person);
end
$$;
comment on function certvakt.certification_details(uuid[], boolean) is
  'Some certifications, and if asked those that who is asking sees for another reason than their chapter, with what chapters, mentors and types are called and how organisations reckon days; nothing of one that they may not see, and no name of a chapter that they may not know.';

-- Whether somebody may come in, and of what they are: what every request asks first.
create function certvakt.admission(
  out person_id uuid, out organisations uuid[], out is_closed boolean, out number bigint, out is_administrator boolean)
language plpgsql set search_path = '' as $$
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
  'Who is asking, or null; their organisations; whether people''s access to certifications is closed for one of these; and the number of what is recorded of this access, if they are somebody.';

do $$
declare
  asked text;
begin
  foreach asked in array array['certification_details(uuid[], boolean)', 'admission()'] loop
    execute format('revoke all on function certvakt.%s from public, anon, service_role', asked);
    execute format('grant execute on function certvakt.%s to authenticated', asked);
  end loop;
end
$$;
alter function certvakt.certification_details(uuid[], boolean) owner to certvakt_definer;

-- What the release before and history_of ask is the same question.
set local role certvakt_definer;
create or replace function certvakt.certification_details(certifications uuid[])
returns table (
  id uuid, organisation_id uuid, chapter_id uuid, chapter text, mentor_id uuid, mentor text, type_code text,
  type_name text, external_id text, issued_at timestamptz, expires_at timestamptz, status text,
  updated_at timestamptz, time_zone text, expired_grace_days smallint)
language sql stable security definer set search_path = ''
begin atomic
  select d.id, d.organisation_id, d.chapter_id, d.chapter, d.mentor_id, d.mentor, d.type_code, d.type_name, d.external_id,
    d.issued_at, d.expires_at, d.status, d.updated_at, d.time_zone, d.expired_grace_days
  from certvakt.certification_details(certification_details.certifications, false) d;
end;
reset role;
