-- What an organisation calls a person is its own: its register and its administrators write no other's.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

create table certvakt.person_names (
  person_id uuid not null references certvakt.people (id) on delete cascade,
  organisation_id uuid not null references certvakt.organisations (id) on delete cascade,
  name text not null constraint person_names_name_form check (length(name) between 1 and 200),
  name_folded text generated always as (certvakt.folded(name)) stored,
  primary key (person_id, organisation_id)
);
comment on table certvakt.person_names is
  'What an organisation calls a person. It stands in that organisation''s pages and notices, before the person''s own name.';
comment on column certvakt.people.name is
  'The person''s own name, which an app writes that keeps people itself; no register does. Used where an organisation has none.';
comment on column certvakt.person_names.name_folded is 'The name, as it is looked for.';
create index person_names_organisation on certvakt.person_names (organisation_id);
do $$
begin
  execute (
    select format('create index person_names_name_folded on certvakt.person_names using gin (name_folded %I.gin_trgm_ops)', n.nspname)
    from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_trgm');
end
$$;

alter table certvakt.person_names enable row level security;
alter table certvakt.person_names force row level security;
revoke all on certvakt.person_names from public, anon, authenticated, service_role;
grant select, insert, update, delete on certvakt.person_names to certvakt_registrar;
grant select on certvakt.person_names to certvakt_worker, certvakt_definer;
grant select (person_id, organisation_id, name) on certvakt.person_names to authenticated, certvakt_doorkeeper;
create policy registrar_keeps on certvakt.person_names to certvakt_registrar using (true) with check (true);
create policy worker_reads on certvakt.person_names for select to certvakt_worker using (true);
create policy definer_reads on certvakt.person_names for select to certvakt_definer using (true);
create policy doorkeeper_reads on certvakt.person_names for select to certvakt_doorkeeper using (true);
-- As the person is seen: themselves, in a visible chapter of that organisation, or by its certification.
create policy people_see on certvakt.person_names for select to authenticated using (
  person_id = (select certvakt.current_person())
  or exists (
    select from certvakt.visible_memberships m
    where m.person_id = person_names.person_id and m.organisation_id = person_names.organisation_id
      and m.chapter_id = any ((select certvakt.visible_chapters())::uuid[]))
  or exists (
    select from public.peer_mentor_certifications c
    where c.peer_mentor_id = person_names.person_id and c.organisation_id = person_names.organisation_id));

-- Only a role that may call a function makes a trigger of it, and its owner does not hand that on by itself.
do $$
declare
  migrating constant text := current_user;
begin
  set local role certvakt_definer;
  execute format('grant execute on function certvakt.refuse_new_of_erased() to %I', migrating);
  reset role;
  create trigger refuse_erased after insert on certvakt.person_names referencing new table as new_rows
    for each statement execute function certvakt.refuse_new_of_erased('person_id');
  set local role certvakt_definer;
  execute format('revoke execute on function certvakt.refuse_new_of_erased() from %I', migrating);
  reset role;
end
$$;

-- The names until now came from registers and commands: each organisation of the person keeps them.
set local role certvakt_registrar;
insert into certvakt.person_names (person_id, organisation_id, name)
select distinct p.id, m.organisation_id, p.name
from certvakt.people p join certvakt.memberships m on m.person_id = p.id
where p.name is not null;
update certvakt.people p set name = null
where p.name is not null and exists (select from certvakt.person_names n where n.person_id = p.id);
reset role;

-- Only its owner may replace a function.
set local role certvakt_definer;
create or replace function certvakt.certification_details(certifications uuid[], and_elsewhere boolean)
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
  select c.id, c.organisation_id, c.chapter_id, h.name, c.peer_mentor_id, coalesce(n.name, p.name),
    p.erased_at is not null, c.certification_type, t.name, c.external_id, c.issued_at, c.expires_at, c.status, c.updated_at,
    t.time_zone, t.expired_grace_days
  from found c
  join types t on t.organisation_id = c.organisation_id and t.code = c.certification_type
  join certvakt.people p on p.id = c.peer_mentor_id
  left join certvakt.person_names n on n.person_id = c.peer_mentor_id and n.organisation_id = c.organisation_id
  -- The mentor whom a chapter certified sees its name even if the chapter is not visible.
  left join named_chapters h on h.id = c.chapter_id and (h.id = any (chapters) or c.peer_mentor_id = person);
end
$$;
reset role;

-- LIKE is not leakproof, so under the policies no index would be used for it. These functions have no policy above them;
-- each says itself what the policies say. They read no table from end to end: what others have costs nobody anything. They
-- compare with the name that the organisation has for a person, and with the person's own name where it has none.
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
  cross join lateral (
    select coalesce(n.name_folded, p.name_folded) as name_folded
    from certvakt.people p
    left join certvakt.person_names n on n.person_id = p.id and n.organisation_id = c.organisation_id
    where p.id = c.peer_mentor_id offset 0) p;
  if looked < looked_through or cardinality(found) >= how_many then
    return found[:how_many];
  end if;
  -- What few are called, indexes find, if it has three letters or digits in a row.
  if containing ~ '[a-z0-9]{3}' then
    named := array(
      (select n.person_id from certvakt.person_names n where n.name_folded like containing limit few + 1)
      union all
      (select p.id from certvakt.people p where p.name_folded like containing limit few + 1));
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
          -- Another organisation may call them so.
          and (certvakt.folded(c.external_id) like containing or (
            select coalesce(n.name_folded, p.name_folded) like containing
            from certvakt.people p
            left join certvakt.person_names n on n.person_id = p.id and n.organisation_id = c.organisation_id
            where p.id = c.peer_mentor_id))
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
          or (
            select coalesce(n.name_folded, p.name_folded) like containing
            from certvakt.people p
            left join certvakt.person_names n on n.person_id = p.id and n.organisation_id = c.organisation_id
            where p.id = c.peer_mentor_id))
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
  -- Without three letters or digits in a row, the index would lead to everybody of every organisation.
  indexed text := case when containing ~ '[a-z0-9]{3}' then containing end;
begin
  return query
  with named as materialized (
    select p.id, coalesce(n.name, p.name) as name, coalesce(n.name_folded, p.name_folded) as name_folded, p.locale, p.erased_at
    from (
      select m.person_id, array_agg(m.organisation_id) as organisations
      from certvakt.visible_memberships m
      where (m.chapter_id = any (chapters) or m.person_id = person) and (of_chapter is null or m.chapter_id = of_chapter)
        and (indexed is null or m.person_id in (
          select n.person_id from certvakt.person_names n where n.name_folded like indexed
          union all
          select p.id from certvakt.people p where p.name_folded like indexed))
      group by m.person_id
    ) member
    -- Each member is looked up, and nobody else.
    cross join lateral (
      select p.id, p.name, p.name_folded, p.locale, p.erased_at from certvakt.people p where p.id = member.person_id offset 0
    ) p
    -- Of several organisations in which the caller sees them, one names them.
    left join lateral (
      select n.name, n.name_folded from certvakt.person_names n
      where n.person_id = p.id and n.organisation_id = any (member.organisations)
      order by n.organisation_id limit 1
    ) n on true
  )
  select p.id, p.name, p.locale, p.erased_at
  from named p
  where (containing is null or p.name_folded like containing)
    and (after_id is null or (coalesce(p.name, ''), p.id) >
      (coalesce((select coalesce(seen.name, '') from named seen where seen.id = after_id), after_name), after_id))
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
