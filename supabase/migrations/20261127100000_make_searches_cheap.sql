-- Looking somebody up: by a name in letters of ASCII, which an index finds, among those whom the caller sees.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

-- Where hosted platforms have their extensions. An extension that is there already stays where it is.
create schema if not exists extensions;
create extension if not exists pg_trgm with schema extensions;

-- Not strict, though null is folded to null: PostgreSQL writes no CASE of a strict function into the statement, and to
-- call it for each row takes longer than the rest.
create or replace function certvakt.folded(name text) returns text
language sql immutable parallel safe
return case
  when octet_length(name) = length(name) then lower(name collate "C")
  else translate(
    lower(replace(replace(replace(replace(replace(replace(replace(name,
      'Æ', 'ae'), 'æ', 'ae'), 'Œ', 'oe'), 'œ', 'oe'), 'ß', 'ss'), 'Þ', 'th'), 'þ', 'th') collate "C"),
    'ÀÁÂÃÄÅÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝàáâãäåçèéêëìíîïðñòóôõöøùúûüýÿĀāĂăĄąĆćĈĉĊċČčĎďĐđĒēĔĕĖėĘęĚěĜĝĞ' ||
    'ğĠġĢģĤĥĨĩĪīĬĭĮįİĴĵĶķĹĺĻļĽľŁłŃńŅņŇňŊŋŌōŎŏŐőŔŕŖŗŘřŚśŜŝŞşŠšŢţŤťŦŧŨũŪūŬŭŮůŰűŲųŴŵŶŷŸŹźŻżŽž'
    -- Accents that stand behind their letters are left out.
    || U&'\0300\0301\0302\0303\0304\0306\0307\0308\030A\030B\030C\0323\0327\0328',
    'aaaaaaceeeeiiiidnoooooouuuuyaaaaaaceeeeiiiidnoooooouuuuyyaaaaaaccccccccddddeeeeeeeeeeggg' ||
    'ggggghhiiiiiiiiijjkkllllllllnnnnnnnnoooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzz')
end;
comment on function certvakt.folded is
  'A name in small letters of ASCII, for looking it up: å is found as a, ø as o, æ as ae; letters of other scripts stay.';

-- Whoever writes a name folds it.
grant execute on function certvakt.folded(text) to certvakt_registrar, certvakt_worker, certvakt_definer;

-- squawk-ignore adding-field-with-default
alter table certvakt.people add column name_folded text generated always as (certvakt.folded(name)) stored;
comment on column certvakt.people.name_folded is 'The name, as it is looked for.';
grant select (locale, name_folded) on certvakt.people to certvakt_definer;
do $$
begin
  execute (
    select format('create index people_name_folded on certvakt.people using gin (name_folded %I.gin_trgm_ops)', n.nspname)
    from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_trgm');
end
$$;

-- LIKE is not leakproof, so under the policies no index would be used for it. These functions have no policy above them;
-- each says itself what the policies say. They read no table from end to end: what others have costs nobody anything.
create function certvakt.search_certifications(
  containing text, how_many bigint, after_expiry timestamptz, after_id uuid, of_chapter uuid, of_type text,
  in_organisations uuid[], in_ranges tstzrange[])
returns uuid[]
language plpgsql stable security definer set search_path = '' set plan_cache_mode = force_custom_plan
  set enable_seqscan = off as $$
declare
  chapters uuid[] := array(
    select v.id from unnest(certvakt.visible_chapters()) as v (id) where of_chapter is null or v.id = of_chapter);
  closed uuid[] := certvakt.closed_organisations('certifications');
  looked_through constant integer := 500;
  looked bigint;
  found uuid[];
  organisations uuid[] := array(select distinct h.organisation_id from certvakt.chapters h where h.id = any (chapters));
  few constant integer := 1000;
  named uuid[];
  numbered text[];
begin
  -- What many are called is soon found among the next to expire.
  with next as materialized (
    select first.id, first.expiry
    from unnest(chapters) as v (id)
    cross join lateral (
      select c.id, case when c.expires_at is null then 'infinity' else c.expires_at end as expiry
      from public.peer_mentor_certifications c
      where c.chapter_id = v.id
        and (case when c.expires_at is null then 'infinity' else c.expires_at end, c.id) > (after_expiry, after_id)
      order by case when c.expires_at is null then 'infinity' else c.expires_at end, c.id
      limit looked_through
    ) first
    order by first.expiry, first.id
    limit looked_through
  )
  select count(*), coalesce(array_agg(n.id order by n.expiry, n.id) filter (where
    (p.name_folded like containing or certvakt.folded(c.external_id) like containing)
    and c.organisation_id <> all (closed)
    and (of_type is null or c.certification_type = of_type)
    and (in_organisations is null
      or c.status <> 'suspended' and c.expires_at <@ in_ranges[array_position(in_organisations, c.organisation_id)])), '{}')
  into looked, found
  from next n
  -- Each looked up by its id, however many there are.
  cross join lateral (select * from public.peer_mentor_certifications c where c.id = n.id offset 0) c
  cross join lateral (select p.name_folded from certvakt.people p where p.id = c.peer_mentor_id offset 0) p;
  if looked < looked_through or cardinality(found) >= how_many then
    return found[:how_many];
  end if;
  -- What few are called, indexes find, if it has three letters or digits in a row.
  if containing ~ '[a-z0-9]{3}' then
    named := array(select p.id from certvakt.people p where p.name_folded like containing limit few + 1);
    numbered := array(
      select c.external_id from public.peer_mentor_certifications c
      where c.organisation_id = any (organisations) and certvakt.folded(c.external_id) like containing
      limit few + 1);
    if cardinality(named) <= few and cardinality(numbered) <= few then
      return array(
        with candidates as (
          select c.id from public.peer_mentor_certifications c where c.peer_mentor_id = any (named)
          union
          select c.id from public.peer_mentor_certifications c
          where c.organisation_id = any (organisations) and c.external_id = any (numbered)
        )
        select c.id
        from candidates
        join public.peer_mentor_certifications c on c.id = candidates.id
        where c.chapter_id = any (chapters)
          and (case when c.expires_at is null then 'infinity' else c.expires_at end, c.id) > (after_expiry, after_id)
          and c.organisation_id <> all (closed)
          and (of_type is null or c.certification_type = of_type)
          and (in_organisations is null
            or c.status <> 'suspended' and c.expires_at <@ in_ranges[array_position(in_organisations, c.organisation_id)])
        order by case when c.expires_at is null then 'infinity' else c.expires_at end, c.id
        limit how_many);
    end if;
  end if;
  -- Else each name is looked at, in the order of each chapter.
  return array(
    select c.id
    from unnest(chapters) as v (id)
    cross join lateral (
      select c.id, case when c.expires_at is null then 'infinity' else c.expires_at end as expiry
      from public.peer_mentor_certifications c
      where c.chapter_id = v.id
        and (case when c.expires_at is null then 'infinity' else c.expires_at end, c.id) > (after_expiry, after_id)
        and c.organisation_id <> all (closed)
        and (of_type is null or c.certification_type = of_type)
        and (in_organisations is null
          or c.status <> 'suspended' and c.expires_at <@ in_ranges[array_position(in_organisations, c.organisation_id)])
        and (certvakt.folded(c.external_id) like containing
          or (select p.name_folded like containing from certvakt.people p where p.id = c.peer_mentor_id))
      order by case when c.expires_at is null then 'infinity' else c.expires_at end, c.id
      limit how_many
    ) c
    order by c.expiry, c.id
    limit how_many);
end
$$;
comment on function certvakt.search_certifications is
  'The first of the certifications of visible chapters, behind one of them, whose mentor''s name or id in the register, folded, is like a pattern; the next to expire first.';

grant select on certvakt.visible_memberships to certvakt_definer;
create function certvakt.search_people(
  containing text, how_many bigint, after_name text, after_id uuid, of_chapter uuid)
returns table (id uuid, name text, locale text, erased_at timestamptz)
language plpgsql stable security definer set search_path = '' set plan_cache_mode = force_custom_plan
  set enable_seqscan = off rows 50 as $$
declare
  person uuid := certvakt.current_person();
  chapters uuid[] := certvakt.visible_chapters();
begin
  if containing ~ '[a-z0-9]{3}' then
    return query
    select p.id, p.name, p.locale, p.erased_at
    from certvakt.people p
    where p.name_folded like containing
      and p.id in (
        select m.person_id from certvakt.visible_memberships m
        where (m.chapter_id = any (chapters) or m.person_id = person)
          and (of_chapter is null or m.chapter_id = of_chapter))
      and (after_id is null or (coalesce(p.name, ''), p.id) > (after_name, after_id))
    order by coalesce(p.name, ''), p.id
    limit how_many;
    return;
  end if;
  -- No index helps: each member is looked up, and nobody else.
  return query
  select p.id, p.name, p.locale, p.erased_at
  from (
    select distinct m.person_id from certvakt.visible_memberships m
    where (m.chapter_id = any (chapters) or m.person_id = person)
      and (of_chapter is null or m.chapter_id = of_chapter)
  ) members
  cross join lateral (select p.id, p.name, p.locale, p.erased_at, p.name_folded from certvakt.people p where p.id = members.person_id offset 0) p
  where (containing is null or p.name_folded like containing)
    and (after_id is null or (coalesce(p.name, ''), p.id) > (after_name, after_id))
  order by coalesce(p.name, ''), p.id
  limit how_many;
end
$$;
comment on function certvakt.search_people is
  'The first of the members of visible chapters, by name behind one of them; those whose name, folded, is like a pattern, if one is given.';

do $$
declare
  asked text;
begin
  foreach asked in array array[
    'search_certifications(text, bigint, timestamptz, uuid, uuid, text, uuid[], tstzrange[])',
    'search_people(text, bigint, text, uuid, uuid)'
  ] loop
    execute format('revoke all on function certvakt.%s from public, anon, service_role', asked);
    execute format('grant execute on function certvakt.%s to authenticated', asked);
    execute format('alter function certvakt.%s owner to certvakt_definer', asked);
  end loop;
end
$$;
