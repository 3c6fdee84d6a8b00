-- What a page of certifications asks beside the policies, each once: where to look, and what things are
-- called. Names through the policies of five tables would ask who is asking for each of the five.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

create function certvakt.in_sight(out chapters uuid[], out others uuid[])
language plpgsql stable security definer set search_path = '' as $$
begin
  chapters := certvakt.visible_chapters();
  others := certvakt.visible_elsewhere() || array(
    select c.id from public.peer_mentor_certifications c where c.peer_mentor_id = certvakt.current_person());
end
$$;
comment on function certvakt.in_sight is
  'Where to look for the certifications that who is asking may see: the visible chapters, and the certifications visible for another reason. Policies decide about each of them.';

grant select (id, name) on certvakt.people to certvakt_definer;
create policy definer_reads on certvakt.people for select to certvakt_definer using (true);
create function certvakt.names_of(certifications uuid[])
returns table (
  certification_id uuid, chapter text, mentor text, type_name text, time_zone text, expired_grace_days smallint)
language plpgsql stable security definer set search_path = '' set plan_cache_mode = force_generic_plan rows 50 as $$
declare
  person uuid := certvakt.current_person();
  chapters uuid[] := certvakt.visible_chapters();
begin
  return query
  select c.id, h.name, p.name, t.name, o.time_zone, o.expired_grace_days
  from public.peer_mentor_certifications c
  join certvakt.organisations o on o.id = c.organisation_id
  join certvakt.certification_types t on t.organisation_id = c.organisation_id and t.code = c.certification_type
  join certvakt.people p on p.id = c.peer_mentor_id
  -- Of a chapter that is not visible, it is known to whoever it certified.
  left join certvakt.chapters h on h.id = c.chapter_id and (h.id = any (chapters) or c.peer_mentor_id = person)
  where c.id = any (names_of.certifications)
    -- As the policies of the certifications say.
    and c.organisation_id <> all ((select certvakt.closed_organisations('certifications'))::uuid[])
    and (
      c.chapter_id = any (chapters)
      or c.peer_mentor_id = person
      or c.id = any ((select certvakt.visible_elsewhere())::uuid[]));
end
$$;
comment on function certvakt.names_of is
  'What the chapters, mentors and types of some certifications are called, and how their organisations reckon days; nothing of a certification that who is asking may not see, and no name of a chapter that they may not know.';

do $$
declare
  asked text;
begin
  foreach asked in array array['in_sight()', 'names_of(uuid[])'] loop
    execute format('revoke all on function certvakt.%s from public, anon, service_role', asked);
    execute format('grant execute on function certvakt.%s to authenticated', asked);
    execute format('alter function certvakt.%s owner to certvakt_definer', asked);
  end loop;
end
$$;
