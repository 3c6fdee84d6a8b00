-- What lists of certifications ask beside the policies, each once: where to look, and the certifications with
-- what things are called. Names through the policies of five tables would ask who is asking for each of the five.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

-- What is visible elsewhere follows from the visible chapters: whoever knows those does not ask for them again.
create function certvakt.elsewhere_of(chapters uuid[]) returns uuid[]
language plpgsql stable security definer set search_path = '' as $$
begin
  return array(
    select e.certification_id from certvakt.certifications_elsewhere e where e.chapter_id = any (chapters));
end
$$;
comment on function certvakt.elsewhere_of is
  'Certifications of other chapters, whose mentors belong to one of some chapters of the same organisation as well. Never null. For functions only: it does not ask whether those chapters are visible.';
revoke all on function certvakt.elsewhere_of(uuid[]) from public, anon, authenticated, service_role;
grant execute on function certvakt.elsewhere_of(uuid[]) to certvakt_definer;
alter function certvakt.elsewhere_of(uuid[]) owner to certvakt_definer;
-- Only its owner may replace a function.
set local role certvakt_definer;
create or replace function certvakt.visible_elsewhere() returns uuid[]
language plpgsql stable security definer set search_path = '' as $$
begin
  return certvakt.elsewhere_of(certvakt.visible_chapters());
end
$$;
reset role;

create function certvakt.in_sight(out chapters uuid[], out others uuid[])
language plpgsql stable security definer set search_path = '' set plan_cache_mode = force_generic_plan as $$
declare
  person uuid := certvakt.current_person();
  elsewhere uuid[];
begin
  chapters := certvakt.visible_chapters();
  elsewhere := certvakt.elsewhere_of(chapters);
  others := array(
    select c.id from public.peer_mentor_certifications c
    where (c.peer_mentor_id = person or c.id = any (elsewhere)) and c.chapter_id <> all (chapters));
end
$$;
comment on function certvakt.in_sight is
  'Where to look for the certifications that who is asking may see: the visible chapters, and those of other chapters that are visible for another reason. Whether they may see them is asked again of each.';

grant select (id, name) on certvakt.people to certvakt_definer;
create policy definer_reads on certvakt.people for select to certvakt_definer using (true);
create function certvakt.certification_details(certifications uuid[])
returns table (
  id uuid, organisation_id uuid, chapter_id uuid, chapter text, mentor_id uuid, mentor text, type_code text,
  type_name text, external_id text, issued_at timestamptz, expires_at timestamptz, status text,
  updated_at timestamptz, time_zone text, expired_grace_days smallint)
language plpgsql stable security definer set search_path = '' set plan_cache_mode = force_generic_plan rows 50 as $$
declare
  person uuid := certvakt.current_person();
  chapters uuid[] := certvakt.visible_chapters();
begin
  return query
  select c.id, c.organisation_id, c.chapter_id, h.name, c.peer_mentor_id, p.name, c.certification_type, t.name,
    c.external_id, c.issued_at, c.expires_at, c.status, c.updated_at, o.time_zone, o.expired_grace_days
  from public.peer_mentor_certifications c
  join certvakt.organisations o on o.id = c.organisation_id
  join certvakt.certification_types t on t.organisation_id = c.organisation_id and t.code = c.certification_type
  join certvakt.people p on p.id = c.peer_mentor_id
  -- Of a chapter that is not visible, it is known to whoever it certified.
  left join certvakt.chapters h on h.id = c.chapter_id and (h.id = any (chapters) or c.peer_mentor_id = person)
  where c.id = any (certification_details.certifications)
    -- As the policies of the certifications say.
    and c.organisation_id <> all ((select certvakt.closed_organisations('certifications'))::uuid[])
    and (
      c.chapter_id = any (chapters)
      or c.peer_mentor_id = person
      or c.id = any ((select certvakt.elsewhere_of(chapters))::uuid[]));
end
$$;
comment on function certvakt.certification_details is
  'Some certifications, with what their chapters, mentors and types are called and how their organisations reckon days; nothing of one that who is asking may not see, and no name of a chapter that they may not know.';

do $$
declare
  asked text;
begin
  foreach asked in array array['in_sight()', 'certification_details(uuid[])'] loop
    execute format('revoke all on function certvakt.%s from public, anon, service_role', asked);
    execute format('grant execute on function certvakt.%s to authenticated', asked);
    execute format('alter function certvakt.%s owner to certvakt_definer', asked);
  end loop;
end
$$;
