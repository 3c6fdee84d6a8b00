-- The functions behind the API: lists and searches, opt-outs and devices. The stored responses of repeated requests, and
-- uploaded registers.
--
-- The functions run as certvakt_definer. They read certifications through certvakt.visible_certifications.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

-- Certifications with names. A query as the caller would apply the policies of five tables, and so look up the caller five
-- times. Each row is looked up by an index: the generic plan knows only that there are about fifty, and would read small tables
-- as a whole.
create function certvakt.certification_details(certifications uuid[], and_elsewhere boolean)
returns table (
  id uuid, organisation_id uuid, chapter_id uuid, chapter text, mentor_id uuid, mentor text, family_name text, is_mentor_erased boolean,
  type_code text, type_name text, external_id text, issued_at timestamptz, expires_at timestamptz, status text,
  suspended_until date, is_withdrawn boolean, is_managed boolean, updated_at timestamptz, time_zone text, expired_grace_days smallint,
  lead_times integer[])
language plpgsql stable security definer set search_path = '' set plan_cache_mode = force_generic_plan
  set enable_seqscan = off rows 50 as $$
declare
  person uuid := certvakt.current_person();
  chapters uuid[] := certvakt.visible_chapters();
  wanted uuid[] := certification_details.certifications;
begin
  if and_elsewhere then
    wanted := wanted || certvakt.elsewhere_of(chapters)
      || array(select c.id from public.peer_mentor_certifications c where c.peer_mentor_id = person);
  end if;
  return query
  with found as materialized (
    select c.id, c.organisation_id, c.chapter_id, c.peer_mentor_id, c.certification_type, c.external_id, c.issued_at,
      c.expires_at, c.status, c.suspended_until,
      -- PostgreSQL does not inline the function, so it calls it for these few only.
      case when c.status = 'suspended' then certvakt.is_withdrawn(c.status, c.renewal_history) else false end as is_withdrawn,
      c.updated_at
    from certvakt.visible_certifications c where c.id = any (wanted)
  ),
  -- Many certifications share an organisation and a type, so these are read once.
  types as materialized (
    select o.id as organisation_id, o.time_zone, o.expired_grace_days, coalesce(t.lead_times, o.lead_times) as lead_times, t.code, t.name
    from certvakt.organisations o join certvakt.certification_types t on t.organisation_id = o.id
    where o.id = any (array(select distinct f.organisation_id from found f))
  ),
  named_chapters as materialized (
    select h.id, h.name from certvakt.chapters h where h.id = any (array(select distinct f.chapter_id from found f))
  )
  select c.id, c.organisation_id, c.chapter_id, h.name, c.peer_mentor_id, coalesce(n.name, p.name),
    case when n.name is null then p.family_name else n.family_name end, p.erased_at is not null, c.certification_type, t.name, c.external_id, c.issued_at, c.expires_at, c.status,
    c.suspended_until, c.is_withdrawn, c.chapter_id = any (chapters) and c.peer_mentor_id <> person, c.updated_at,
    t.time_zone, t.expired_grace_days, t.lead_times
  from found c
  join types t on t.organisation_id = c.organisation_id and t.code = c.certification_type
  join certvakt.people p on p.id = c.peer_mentor_id
  left join certvakt.person_names n on n.person_id = c.peer_mentor_id and n.organisation_id = c.organisation_id
  -- A mentor sees the name of the chapter of their own certification, even if the chapter is not visible to them.
  left join named_chapters h on h.id = c.chapter_id and (h.id = any (chapters) or c.peer_mentor_id = person);
end
$$;
comment on function certvakt.certification_details is
  'Returns the given certifications that the caller may see, with the names of chapters, mentors and types, the mentors'' family names to sort by, and the organisations'' time zones and grace days. and_elsewhere adds the certifications that the caller may see for another reason than their chapter. The name of a chapter that the caller may not see is null. is_managed: the caller may change the certification, because they manage its chapter and it is not their own.';

revoke all on function certvakt.certification_details(uuid[], boolean) from public, anon, authenticated, service_role;
grant execute on function certvakt.certification_details(uuid[], boolean) to authenticated;
alter function certvakt.certification_details(uuid[], boolean) owner to certvakt_definer;

create function certvakt.history_of(certification uuid)
returns table (number bigint, entry jsonb, evidence text, note text, is_erased boolean)
language sql stable security definer set search_path = ''
begin atomic
  select e.number, e.entry, w.evidence, w.note, e.entry ->> 'words' is not null and w.entry_id is null
  from certvakt.visible_certifications c
  cross join lateral jsonb_array_elements(certvakt.entries_of(c.id, c.renewal_history)) with ordinality e (entry, number)
  left join certvakt.renewal_remarks w on w.entry_id::text = e.entry ->> 'id' and w.certification_id = c.id
  where c.id = history_of.certification;
end;
comment on function certvakt.history_of is
  'Returns the history of a certification with evidence and notes, the oldest entry first. Empty if the caller may not see the certification.';

create function certvakt.has_entry(certification uuid, entry text) returns boolean
language sql stable security definer set search_path = ''
begin atomic
  select case
    -- The registrar may read every certification.
    when current_setting('role') = 'certvakt_registrar' then exists (
      select from public.peer_mentor_certifications c
      where c.id = certification
        and certvakt.entries_of(c.id, c.renewal_history) @> jsonb_build_array(jsonb_build_object('id', entry)))
    else exists (select from certvakt.history_of(certification) h where h.entry ->> 'id' = has_entry.entry)
  end;
end;
comment on function certvakt.has_entry is
  'Returns whether the history of a certification contains an entry with this id, and so whether the request was made before. False if the caller may not see the certification.';

revoke all on function certvakt.history_of(uuid), certvakt.has_entry(uuid, text)
  from public, anon, authenticated, service_role;
grant execute on function certvakt.history_of(uuid) to authenticated;
grant execute on function certvakt.has_entry(uuid, text) to certvakt_registrar, authenticated;
alter function certvakt.history_of(uuid) owner to certvakt_definer;
alter function certvakt.has_entry(uuid, text) owner to certvakt_definer;

-- LIKE is not leakproof, so PostgreSQL uses no index for it in a query that policies apply to. The searches scan no whole
-- table, so their cost does not depend on other organisations. They compare the name that the organisation has for a person,
-- or the person's own name if it has none.
create function certvakt.search_certifications(
  containing text, how_many bigint, after_expiry timestamptz, after_id uuid, of_chapter uuid, of_type text,
  in_types text[], in_ranges tstzrange[], on_day date)
returns uuid[]
language plpgsql stable security definer set search_path = '' set plan_cache_mode = force_custom_plan
  set enable_seqscan = off as $$
declare
  chapters uuid[] := array(
    select h.id from certvakt.chapters h
    where h.id = any ((select certvakt.visible_chapters())::uuid[]) and (of_chapter is null or h.id = of_chapter)
      and h.organisation_id <> all ((select certvakt.closed_organisations('certifications'))::uuid[]));
  looked_through constant integer := 200;
  looked bigint;
  found uuid[];
  organisations uuid[] := array(select distinct h.organisation_id from certvakt.chapters h where h.id = any (chapters));
  few constant integer := 1000;
  named uuid[];
  numbered text[];
begin
  -- A frequent name is soon found among the certifications that expire next.
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
    and (of_type is null or c.certification_type = of_type)
    and (in_types is null
      or (c.status <> 'suspended' or c.suspended_until < on_day) and coalesce(c.expires_at, 'infinity') <@ in_ranges[array_position(in_types, c.organisation_id || '/' || c.certification_type)])), '{}')
  into looked, found
  from next n
  -- OFFSET 0 keeps the planner from scanning the table instead of looking up each id.
  cross join lateral (select * from public.peer_mentor_certifications c where c.id = n.id offset 0) c
  cross join lateral (
    select coalesce(n.name_folded, p.name_folded) as name_folded
    from certvakt.people p
    left join certvakt.person_names n on n.person_id = p.id and n.organisation_id = c.organisation_id
    where p.id = c.peer_mentor_id offset 0) p;
  if looked < looked_through or cardinality(found) >= how_many then
    return found[:how_many];
  end if;
  -- The trigram indexes find a rare name, if the pattern has three letters or digits in a row.
  if containing ~ '[a-z0-9]{3}' then
    named := array(
      (select n.person_id from certvakt.person_names n where n.name_folded like containing limit few + 1)
      union all
      (select p.id from certvakt.people p where p.name_folded like containing limit few + 1));
    numbered := array(
      -- This compares every id of the organisations. It contains the first branch of certvakt.folded, because a call for each
      -- id takes longer than the rest.
      select c.external_id from public.peer_mentor_certifications c
      where c.organisation_id = any (organisations)
        and case when octet_length(c.external_id) = length(c.external_id) then replace(lower(c.external_id collate "C"), 'aa', 'a')
          else certvakt.folded(c.external_id) end like containing
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
          -- The name that was found can be that of another organisation.
          and (certvakt.folded(c.external_id) like containing or (
            select coalesce(n.name_folded, p.name_folded) like containing
            from certvakt.people p
            left join certvakt.person_names n on n.person_id = p.id and n.organisation_id = c.organisation_id
            where p.id = c.peer_mentor_id))
          and (case when c.expires_at is null then 'infinity' else c.expires_at end, c.id) > (after_expiry, after_id)
          and (of_type is null or c.certification_type = of_type)
          and (in_types is null
            or (c.status <> 'suspended' or c.suspended_until < on_day) and coalesce(c.expires_at, 'infinity') <@ in_ranges[array_position(in_types, c.organisation_id || '/' || c.certification_type)])
        order by case when c.expires_at is null then 'infinity' else c.expires_at end, c.id
        limit how_many);
    end if;
  end if;
  -- Otherwise compare every name, in the order of each chapter's index.
  return array(
    select c.id
    from unnest(chapters) as v (id)
    cross join lateral (
      select c.id, case when c.expires_at is null then 'infinity' else c.expires_at end as expiry
      from public.peer_mentor_certifications c
      where c.chapter_id = v.id
        and (case when c.expires_at is null then 'infinity' else c.expires_at end, c.id) > (after_expiry, after_id)
        and (of_type is null or c.certification_type = of_type)
        and (in_types is null
          or (c.status <> 'suspended' or c.suspended_until < on_day) and coalesce(c.expires_at, 'infinity') <@ in_ranges[array_position(in_types, c.organisation_id || '/' || c.certification_type)])
        -- The first branch of certvakt.folded again.
        and (case when octet_length(c.external_id) = length(c.external_id) then replace(lower(c.external_id collate "C"), 'aa', 'a')
            else certvakt.folded(c.external_id) end like containing
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
  'Returns the ids of certifications in visible chapters whose mentor''s name or register id, folded, is like the pattern `containing`. The next to expire come first. At most `how_many`, after the given one. `in_types` limits them to types, as the organisation''s id, a slash and the code, with a range of expiries for each, without those that are suspended; `on_day` is the day on which the suspension must have ended, if it is not today.';

create function certvakt.search_people(
  containing text, how_many bigint, after_place bytea, after_id uuid, of_chapter uuid)
returns table (id uuid, name text, locale text, erased_at timestamptz)
language plpgsql stable security definer set search_path = '' set plan_cache_mode = force_custom_plan
  set enable_seqscan = off rows 50 as $$
declare
  person uuid := certvakt.current_person();
  chapters uuid[] := certvakt.visible_chapters();
  organisations uuid[] := array(select distinct h.organisation_id from certvakt.chapters h where h.id = any (chapters));
  few constant integer := 1000;
  -- Null: too many have the name, so every member's is compared.
  called uuid[];
begin
  -- A trigram index does not narrow a pattern without three letters or digits in a row.
  if containing ~ '[a-z0-9]{3}' then
    called := array(
      (select n.person_id from certvakt.person_names n where n.name_folded like containing limit few + 1)
      union all
      (select p.id from certvakt.people p where p.name_folded like containing limit few + 1));
    if cardinality(called) > few then
      called := null;
    end if;
  end if;
  return query
  with named as materialized (
    select p.id, coalesce(n.name, p.name) as name, coalesce(n.name_folded, p.name_folded) as name_folded,
      case when n.name is null then p.family_name else n.family_name end as family_name, p.locale, p.erased_at
    from (
      select m.person_id, array_agg(m.organisation_id) as organisations
      from (
        select v.person_id, v.organisation_id, v.chapter_id from certvakt.visible_memberships v
        where v.organisation_id = any (organisations) and v.chapter_id = any (chapters) and called is null
        union
        select v.person_id, v.organisation_id, v.chapter_id from certvakt.visible_memberships v
        where v.person_id = any (called) and v.chapter_id = any (chapters)
        union
        select v.person_id, v.organisation_id, v.chapter_id from certvakt.visible_memberships v where v.person_id = person
      ) m
      where of_chapter is null or m.chapter_id = of_chapter
      group by m.person_id
    ) member
    -- OFFSET 0 keeps the planner from scanning all people instead of looking up each member.
    cross join lateral (
      select p.id, p.name, p.name_folded, p.family_name, p.locale, p.erased_at from certvakt.people p where p.id = member.person_id offset 0
    ) p
    -- If the caller sees a person in several organisations, one of them provides the name.
    left join lateral (
      select n.name, n.name_folded, n.family_name from certvakt.person_names n
      where n.person_id = p.id and n.organisation_id = any (member.organisations)
      order by n.organisation_id limit 1
    ) n on true
  )
  select p.id, p.name, p.locale, p.erased_at
  from named p
  where (containing is null or p.name_folded like containing)
    and (after_id is null or (certvakt.alphabetical(coalesce(p.name, ''), p.family_name), p.id) > (
      coalesce((
        select certvakt.alphabetical(coalesce(seen.name, ''), seen.family_name) from named seen where seen.id = after_id),
        after_place), after_id))
  order by certvakt.alphabetical(coalesce(p.name, ''), p.family_name), p.id
  limit how_many;
end
$$;
comment on function certvakt.search_people is
  'Returns members of visible chapters by name, whose name, folded, is like the pattern `containing` if it is given. At most `how_many`, after the given one.';

-- The index of a chapter's memberships has all that this reads. A policy would need the rows.
create function certvakt.chapter_sizes() returns table (chapter_id uuid, mentors bigint)
language sql stable security definer set search_path = ''
begin atomic
  select h.id, m.mentors
  from certvakt.chapters h
  cross join lateral (
    select count(*) as mentors from certvakt.memberships m
    where m.organisation_id = h.organisation_id and m.chapter_id = h.id and m.role = 'mentor') m
  where h.id = any ((select certvakt.visible_chapters())::uuid[]);
end;
comment on function certvakt.chapter_sizes is 'Returns how many mentors each visible chapter has.';

revoke all on function certvakt.chapter_sizes(),
  certvakt.search_certifications(text, bigint, timestamptz, uuid, uuid, text, text[], tstzrange[], date),
  certvakt.search_people(text, bigint, bytea, uuid, uuid) from public, anon, authenticated, service_role;
grant execute on function certvakt.chapter_sizes(),
  certvakt.search_certifications(text, bigint, timestamptz, uuid, uuid, text, text[], tstzrange[], date),
  certvakt.search_people(text, bigint, bytea, uuid, uuid) to authenticated;
alter function certvakt.search_certifications(text, bigint, timestamptz, uuid, uuid, text, text[], tstzrange[], date) owner to certvakt_definer;
alter function certvakt.search_people(text, bigint, bytea, uuid, uuid) owner to certvakt_definer;
alter function certvakt.chapter_sizes() owner to certvakt_definer;

-- Notices. People cannot read the log itself.
create function certvakt.notices_of(certifications uuid[])
returns table (
  id bigint, organisation_id uuid, certification_id uuid, stage text, due_date date, expires_at timestamptz, recorded_at timestamptz,
  state text, reason text, attempt integer, finished_at timestamptz, channel text)
language sql stable security definer set search_path = ''
begin atomic
  select d.id, c.organisation_id, c.id, d.stage, d.due_date, d.expires_at, l.sent_at, d.state, d.reason, d.attempt, d.finished_at,
    (select a.channel from certvakt.delivery_attempts a
     where a.delivery_id = d.id and a.outcome = 'delivered' order by a.attempt desc, a.message limit 1)
  from certvakt.visible_certifications c
  join public.cert_notification_log l on l.certification_id = c.id
  join certvakt.deliveries d on d.id = l.id
  where c.id = any (notices_of.certifications);
end;
comment on function certvakt.notices_of is
  'Returns the notices of the given certifications that the caller may see, the states of their deliveries, and the channels that accepted them.';

create function certvakt.recent_notices(since timestamptz, before bigint, of_chapter uuid, of_stage text, of_state text, how_many integer)
returns table (
  id bigint, organisation_id uuid, chapter_id uuid, certification_id uuid, mentor_id uuid, stage text, due_date date,
  recorded_at timestamptz, state text, reason text, finished_at timestamptz)
language sql stable security definer set search_path = ''
begin atomic
  select d.id, c.organisation_id, c.chapter_id, c.id, c.peer_mentor_id, d.stage, d.due_date, l.sent_at, d.state, d.reason,
    d.finished_at
  from public.cert_notification_log l
  join certvakt.deliveries d on d.id = l.id
  join certvakt.visible_certifications c on c.id = l.certification_id
  where l.sent_at >= since and (before is null or l.id < before)
    and (of_chapter is null or c.chapter_id = of_chapter)
    and (of_stage is null or d.stage = of_stage)
    and (of_state is null or d.state = of_state)
  order by l.id desc
  limit how_many;
end;
comment on function certvakt.recent_notices is
  'Returns notices that were recorded since a time, the latest first. `before` is the id of a notice; it, a chapter, a stage and a delivery''s state limit the result if they are given.';

create function certvakt.unreachable_notices(before bigint, of_chapter uuid, how_many integer)
returns table (
  id bigint, organisation_id uuid, chapter_id uuid, certification_id uuid, mentor_id uuid, stage text, due_date date,
  recorded_at timestamptz)
language sql stable security definer set search_path = ''
begin atomic
  select d.id, c.organisation_id, c.chapter_id, c.certification_id, c.peer_mentor_id, d.stage, d.due_date, c.sent_at
  -- Those of each organisation, and then the rows of each, because a join would read all deliveries or the whole log.
  from unnest(certvakt.current_organisations()) as organisation (id)
  cross join lateral (
    select d.id, d.stage, d.due_date from certvakt.deliveries d
    where d.organisation_id = organisation.id and d.finished_at is null and d.available_at is null
      and (before is null or d.id < before)
    offset 0
  ) d
  cross join lateral (
    select c.organisation_id, c.chapter_id, c.id as certification_id, c.peer_mentor_id, l.sent_at
    from public.cert_notification_log l
    join certvakt.visible_certifications c on c.id = l.certification_id
    where l.id = d.id
    offset 0
  ) c
  where of_chapter is null or c.chapter_id = of_chapter
  order by d.id desc
  limit how_many;
end;
comment on function certvakt.unreachable_notices is
  'Returns notices whose mentors are unreachable, the latest first. `before`, the id of a notice, and a chapter limit the result if they are given.';

create function certvakt.declined_certifications() returns uuid[]
language plpgsql stable security definer set search_path = '' as $$
begin
  return array(
    select c.id
    from (
      -- The index of each chapter has all that this reads.
      select c.id, c.peer_mentor_id, c.organisation_id
      from unnest(certvakt.visible_chapters()) as v (id)
      cross join lateral (
        select c.id, c.peer_mentor_id, c.organisation_id from certvakt.visible_certifications c where c.chapter_id = v.id offset 0) c
      union
      select c.id, c.peer_mentor_id, c.organisation_id from certvakt.visible_certifications c
      where c.id = any (certvakt.visible_elsewhere()) or c.peer_mentor_id = certvakt.current_person()
    ) c
    where exists (select from certvakt.channel_opt_outs o where o.person_id = c.peer_mentor_id) and not exists (
      select from certvakt.contact_points k
      where k.person_id = c.peer_mentor_id and k.kind in ('push', 'email')
        and (k.organisation_id is null or k.organisation_id = c.organisation_id)
        and not exists (select from certvakt.channel_opt_outs o where o.person_id = k.person_id and o.kind = k.kind)));
end
$$;
comment on function certvakt.declined_certifications is
  'Returns the certifications that the caller may see whose mentors declined notices: they opted out of at least one kind of contact point, and have none of another kind.';

-- The caller computes the ranges of dates in each organisation's time zone, with the rules for stages.
create function certvakt.coming_notices(
  organisations uuid[], types text[], selections integer[], time_zones text[], stages text[], days_before integer[],
  since timestamptz[], before timestamptz[], renotify_after_days integer)
returns table (organisation_id uuid, night date, stage text, notices bigint)
language sql stable security definer set search_path = ''
begin atomic
  with coming as (
    select c.id, c.organisation_id, s.stage, (c.expires_at at time zone s.time_zone)::date - s.days_before as night
    from unnest(organisations, types, selections, time_zones, stages, days_before, since, before)
      as s (organisation_id, types, selection, time_zone, stage, days_before, since, before)
    join certvakt.visible_certifications c
      on c.organisation_id = s.organisation_id and c.status <> 'suspended' and c.expires_at >= s.since and c.expires_at < s.before
      and (c.certification_type = any (string_to_array(s.types, ','))) = (s.selection > 0)
  )
  select coming.organisation_id, coming.night, coming.stage, count(*)
  from coming
  where not exists (
    select from certvakt.notified_before told
    where told.organisation_id = coming.organisation_id and told.certification_id = coming.id and told.stage = coming.stage
      and coming.night - told.due_date < coming_notices.renotify_after_days
    -- OFFSET 0 makes PostgreSQL look up each certification, instead of computing the view for all organisations.
    offset 0)
  group by coming.organisation_id, coming.night, coming.stage;
end;
comment on function certvakt.coming_notices is
  'Returns how many notices come due on each night in each stage, for certifications that the caller may see and that expire in the given ranges. Each range is of the types of a selection, given by their codes with commas between them. Selection 0 is the organisation''s own, of all types except the given ones.';

revoke all on function certvakt.notices_of(uuid[]),
  certvakt.recent_notices(timestamptz, bigint, uuid, text, text, integer),
  certvakt.unreachable_notices(bigint, uuid, integer), certvakt.declined_certifications(),
  certvakt.coming_notices(uuid[], text[], integer[], text[], text[], integer[], timestamptz[], timestamptz[], integer)
  from public, anon, authenticated, service_role;
grant execute on function certvakt.notices_of(uuid[]),
  certvakt.recent_notices(timestamptz, bigint, uuid, text, text, integer),
  certvakt.unreachable_notices(bigint, uuid, integer), certvakt.declined_certifications(),
  certvakt.coming_notices(uuid[], text[], integer[], text[], text[], integer[], timestamptz[], timestamptz[], integer) to authenticated;
alter function certvakt.notices_of(uuid[]) owner to certvakt_definer;
alter function certvakt.recent_notices(timestamptz, bigint, uuid, text, text, integer) owner to certvakt_definer;
alter function certvakt.unreachable_notices(bigint, uuid, integer) owner to certvakt_definer;
alter function certvakt.declined_certifications() owner to certvakt_definer;
alter function certvakt.coming_notices(uuid[], text[], integer[], text[], text[], integer[], timestamptz[], timestamptz[], integer) owner to certvakt_definer;

-- Opt-outs from kinds of contact point.
create function certvakt.opt_outs() returns table (kind text, since timestamptz)
language sql stable security definer set search_path = ''
begin atomic
  select o.kind, o.created_at from certvakt.channel_opt_outs o
  where o.person_id = (select certvakt.current_person()) order by o.kind;
end;
comment on function certvakt.opt_outs is 'Returns the kinds of contact point at which the caller does not want notices.';

create function certvakt.opt_out(kind text) returns void
language plpgsql security definer set search_path = '' as $$
declare
  person uuid := certvakt.current_person();
begin
  if person is null then
    raise exception 'no person is linked to this login' using errcode = 'insufficient_privilege';
  end if;
  insert into certvakt.channel_opt_outs (person_id, kind) values (person, opt_out.kind) on conflict do nothing;
end
$$;
comment on function certvakt.opt_out is 'Stops notices to the caller at a kind of contact point.';

create function certvakt.opt_in(kind text) returns void
language sql security definer set search_path = ''
begin atomic
  delete from certvakt.channel_opt_outs o
  where o.kind = opt_in.kind and o.person_id = (select certvakt.current_person());
end;
comment on function certvakt.opt_in is 'Resumes notices to the caller at a kind of contact point.';

-- The devices of the app. A device moves to the person who signs in on it.
create function certvakt.register_device(installation text, token text) returns void
language plpgsql security definer set search_path = '' as $$
declare
  person uuid := certvakt.current_person();
begin
  if person is null then
    raise exception 'no person is linked to this login' using errcode = 'insufficient_privilege';
  end if;
  if exists (
    select from certvakt.contact_points p
    where p.installation = register_device.installation and p.person_id <> person and p.address <> register_device.token) then
    raise exception 'this installation belongs to another person'
      using errcode = 'restrict_violation', constraint = 'installation_of_another',
        hint = 'Send the current token of the device, or use a new id for the installation.';
  end if;
  delete from certvakt.contact_points p
  where p.kind = 'push' and (p.installation = register_device.installation or p.address = register_device.token);
  insert into certvakt.contact_points (person_id, kind, address, installation)
  values (person, 'push', register_device.token, register_device.installation);
end
$$;
comment on function certvakt.register_device is
  'Registers an installation of the app and its current token for the caller. A device of another person moves to the caller only if the token is the one that is stored.';

create function certvakt.remove_device(installation text) returns void
language sql security definer set search_path = ''
begin atomic
  delete from certvakt.contact_points p
  where p.installation = remove_device.installation and p.person_id = (select certvakt.current_person());
end;
comment on function certvakt.remove_device is 'Removes a device of the caller.';

-- The token of a device is a secret of the app.
create function certvakt.my_contact_points()
returns table (id uuid, kind text, address text, organisation_id uuid, organisation text, created_at timestamptz)
language sql stable security definer set search_path = ''
begin atomic
  select k.id, k.kind, case when k.kind <> 'push' then k.address end, k.organisation_id, o.name, k.created_at
  from certvakt.contact_points k
  left join certvakt.organisations o on o.id = k.organisation_id
  where k.person_id = (select certvakt.current_person())
  order by k.organisation_id nulls first, k.created_at, k.id;
end;
comment on function certvakt.my_contact_points is
  'Returns the caller''s contact points: their own, and those from the registers of organisations, without the tokens of devices.';

create function certvakt.add_phone(number text) returns boolean
language plpgsql security definer set search_path = '' as $$
declare
  person uuid := certvakt.current_person();
begin
  if person is null then
    raise exception 'no person is linked to this login' using errcode = 'insufficient_privilege';
  end if;
  -- Two forms of the same person wait for each other.
  update certvakt.people p set id = p.id where p.id = person;
  if (select count(*) from certvakt.contact_points k
      where k.person_id = person and k.kind = 'phone' and k.organisation_id is null and k.address <> add_phone.number) >= 5 then
    return false;
  end if;
  insert into certvakt.contact_points (person_id, kind, address) values (person, 'phone', add_phone.number)
  on conflict do nothing;
  return true;
end
$$;
comment on function certvakt.add_phone is
  'Adds a phone number of the caller''s own. Returns false if they have five others.';

create function certvakt.remove_contact_point(point uuid) returns boolean
language plpgsql security definer set search_path = '' as $$
begin
  delete from certvakt.contact_points k
  where k.id = remove_contact_point.point and k.organisation_id is null and k.person_id = certvakt.current_person();
  return found;
end
$$;
comment on function certvakt.remove_contact_point is
  'Removes a device, a mail address or a phone number of the caller''s own. Returns false if there is none with this id.';

revoke all on function certvakt.opt_outs(), certvakt.opt_out(text), certvakt.opt_in(text),
  certvakt.register_device(text, text), certvakt.remove_device(text), certvakt.my_contact_points(), certvakt.add_phone(text),
  certvakt.remove_contact_point(uuid) from public, anon, authenticated, service_role;
grant execute on function certvakt.opt_outs(), certvakt.opt_out(text), certvakt.opt_in(text),
  certvakt.register_device(text, text), certvakt.remove_device(text), certvakt.my_contact_points(), certvakt.add_phone(text),
  certvakt.remove_contact_point(uuid) to authenticated;
alter function certvakt.opt_outs() owner to certvakt_definer;
alter function certvakt.opt_out(text) owner to certvakt_definer;
alter function certvakt.opt_in(text) owner to certvakt_definer;
alter function certvakt.register_device(text, text) owner to certvakt_definer;
alter function certvakt.remove_device(text) owner to certvakt_definer;
alter function certvakt.my_contact_points() owner to certvakt_definer;
alter function certvakt.add_phone(text) owner to certvakt_definer;
alter function certvakt.remove_contact_point(uuid) owner to certvakt_definer;

-- A client that creates something chooses a key. If it repeats the request, it gets the stored response, and nothing is
-- created (draft-ietf-httpapi-idempotency-key-header). The response is stored in the transaction that creates the object.
create table certvakt.idempotency_keys (
  person_id uuid not null references certvakt.people (id) on delete cascade,
  key text not null constraint idempotency_keys_form check (length(key) between 1 and 255),
  request_hash bytea not null,
  answer jsonb,
  created_at timestamptz not null default now(),
  primary key (person_id, key)
);
comment on table certvakt.idempotency_keys is 'Responses to requests that clients may repeat within a day.';
comment on column certvakt.idempotency_keys.request_hash is 'The SHA-256 digest of the request. A key is valid for one request only.';
comment on column certvakt.idempotency_keys.answer is 'The response. Null until the transaction stores it.';
create index idempotency_keys_created on certvakt.idempotency_keys (created_at);

alter table certvakt.idempotency_keys enable row level security;
alter table certvakt.idempotency_keys force row level security;
revoke all on certvakt.idempotency_keys from public, anon, authenticated, service_role;
grant select, insert (person_id, key, request_hash), update (answer), delete on certvakt.idempotency_keys to authenticated;
create policy people_keep on certvakt.idempotency_keys to authenticated
  using (person_id = (select certvakt.current_person())) with check (person_id = (select certvakt.current_person()));
grant select (person_id, answer) on certvakt.idempotency_keys to certvakt_worker;
create policy worker_reads on certvakt.idempotency_keys for select to certvakt_worker using (true);
-- The registrar deletes rows after a day, and those of a person who is erased.
grant select (person_id, answer, created_at), delete on certvakt.idempotency_keys to certvakt_registrar;
create policy registrar_deletes on certvakt.idempotency_keys to certvakt_registrar using (true) with check (false);

-- Registers that administrators and coordinators upload. The content is deleted after the import, or after a day.
create table certvakt.uploads (
  id uuid primary key default certvakt.uuid_v7(),
  organisation_id uuid not null references certvakt.organisations (id) on delete cascade,
  chapter_id uuid,
  person_id uuid default certvakt.current_person() references certvakt.people (id) on delete set null,
  limited_to uuid[] constraint uploads_limited_to_something check (limited_to <> '{}'),
  options jsonb not null,
  content bytea,
  proposal jsonb,
  -- An upload is refused after a few attempts.
  -- squawk-ignore prefer-bigint-over-int
  attempt integer not null default 0,
  state text not null default 'waiting' constraint uploads_state_known
    check (state in ('waiting', 'draft', 'checking', 'checked', 'received', 'imported', 'refused', 'undone')),
  result jsonb,
  rejected jsonb,
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  taken_up_at timestamptz,
  constraint uploads_chapter_inside_organisation
    foreign key (organisation_id, chapter_id) references certvakt.chapters (organisation_id, id) on delete cascade,
  constraint uploads_content_until_imported
    check ((state in ('draft', 'checking', 'checked', 'received')) = (content is not null)),
  constraint uploads_finished_with_a_result check ((state in ('imported', 'refused', 'undone')) = (finished_at is not null and result is not null))
);
comment on table certvakt.uploads is 'Registers that were uploaded, and their results.';
comment on column certvakt.uploads.state is
  'Through the API: waiting for its content -> received -> imported or refused; imported -> undone on request. On the pages, draft -> checking -> checked -> received: a check changes nothing. The content is deleted after the import.';
comment on column certvakt.uploads.chapter_id is 'The chapter of rows that name none. Null: there are none, or it is not chosen yet.';
comment on column certvakt.uploads.person_id is 'Who sent it, or asked for its last check. Their import never changes their own certifications.';
comment on column certvakt.uploads.limited_to is
  'The chapters that the coordinator who sent it managed: the import changes nothing else. Null: an administrator sent it.';
comment on column certvakt.uploads.proposal is 'The columns of the file, with some values of each, for the page on which a person assigns them.';
comment on column certvakt.uploads.rejected is 'The rejected rows as they were in the file, to correct and upload again, after the content was deleted.';
comment on column certvakt.uploads.taken_up_at is 'When the last attempt to import it began.';
create index uploads_chapter on certvakt.uploads (organisation_id, chapter_id);
create index uploads_person on certvakt.uploads (person_id);
create index uploads_received on certvakt.uploads (attempt, created_at) where state in ('checking', 'received');
create index uploads_created on certvakt.uploads (created_at);
create index uploads_import on certvakt.uploads (((result ->> 'import')::bigint));

alter table certvakt.uploads enable row level security;
alter table certvakt.uploads force row level security;
revoke all on certvakt.uploads from public, anon, authenticated, service_role;
grant select (id, organisation_id, chapter_id, person_id, limited_to, options, content, proposal, state, result, rejected,
    created_at, finished_at),
  insert (organisation_id, chapter_id, limited_to, options, content, proposal, state),
  update (chapter_id, person_id, options, content, proposal, attempt, state), delete
  on certvakt.uploads to authenticated;
-- A coordinator's register is limited to all chapters of the organisation that they manage.
create policy people_upload on certvakt.uploads for insert to authenticated with check (
  state in ('waiting', 'draft')
  and (chapter_id is null or chapter_id = any ((select certvakt.visible_chapters())::uuid[]))
  and case when limited_to is null then exists (
      select from certvakt.visible_memberships m
      where m.person_id = (select certvakt.current_person()) and m.organisation_id = uploads.organisation_id
        and m.role = 'org_admin')
    else limited_to = array(
      select h.id from certvakt.chapters h
      where h.organisation_id = uploads.organisation_id and h.id = any ((select certvakt.visible_chapters())::uuid[])
      order by h.id) end);
-- An administrator sees the registers of the organisation, and a coordinator their own, as long as they manage its chapters. Until
-- its content has arrived, only the person who announced a register sees it.
create policy people_see on certvakt.uploads for select to authenticated using (
  (person_id = (select certvakt.current_person()) or state <> 'waiting')
  and exists (
    select from certvakt.visible_memberships m
    where m.person_id = (select certvakt.current_person()) and m.organisation_id = uploads.organisation_id
      and m.role = 'org_admin')
  or person_id = (select certvakt.current_person()) and limited_to <@ (select certvakt.visible_chapters())::uuid[]);
-- They hand a register over, read it again, and ask for a check or for the import. The person who asks becomes its sender, so that
-- nobody imports what they have not checked, or their own certifications from somebody else's register.
create policy people_change on certvakt.uploads for update to authenticated
  using (state in ('waiting', 'draft', 'checked') and (exists (
      select from certvakt.visible_memberships m
      where m.person_id = (select certvakt.current_person()) and m.organisation_id = uploads.organisation_id
        and m.role = 'org_admin')
    or person_id = (select certvakt.current_person()) and limited_to <@ (select certvakt.visible_chapters())::uuid[]))
  with check (state in ('draft', 'checking', 'received') and person_id = (select certvakt.current_person())
    and (chapter_id is null or chapter_id = any ((select certvakt.visible_chapters())::uuid[])));
create policy people_discard on certvakt.uploads for delete to authenticated
  using (state in ('draft', 'checked') and (exists (
      select from certvakt.visible_memberships m
      where m.person_id = (select certvakt.current_person()) and m.organisation_id = uploads.organisation_id
        and m.role = 'org_admin')
    or person_id = (select certvakt.current_person()) and limited_to <@ (select certvakt.visible_chapters())::uuid[]));
-- An administrator who uploads a register chooses among the saved options of the organisation, and a coordinator among their own.
grant select (organisation_id, name, options, owner_id) on certvakt.import_mappings to authenticated;
create policy people_see on certvakt.import_mappings for select to authenticated using (
  owner_id = (select certvakt.current_person())
  or owner_id is null and exists (
    select from certvakt.visible_memberships m
    where m.person_id = (select certvakt.current_person()) and m.organisation_id = import_mappings.organisation_id
      and m.role = 'org_admin'));
-- Imports by uploads and by commands. A coordinator sees and undoes those that could only change what they manage.
grant select (id, organisation_id, person_id, limited_to, read, added, updated, unchanged, rejected, renewed, corrected, duplicate,
    finished_at, operator, undone_at, undo_requested_at, undo),
  update (undo_requested_at, undo_requested_by) on certvakt.imports to authenticated;
create policy people_see on certvakt.imports for select to authenticated using (
  limited_to <@ (select certvakt.visible_chapters())::uuid[]
  or exists (
    select from certvakt.visible_memberships m
    where m.person_id = (select certvakt.current_person()) and m.organisation_id = imports.organisation_id
      and m.role = 'org_admin'));
create policy people_undo on certvakt.imports for update to authenticated
  using (undone_at is null and (limited_to <@ (select certvakt.visible_chapters())::uuid[]
    or exists (
      select from certvakt.visible_memberships m
      where m.person_id = (select certvakt.current_person()) and m.organisation_id = imports.organisation_id
        and m.role = 'org_admin')))
  with check (undo_requested_at is not null and undo_requested_by = (select certvakt.current_person()));
-- How many uploads wait, and how many were announced in a day, in the organisation: a coordinator does not see the others'.
create function certvakt.uploads_of(organisation uuid, out waiting bigint, out today bigint)
language sql stable security definer set search_path = ''
begin atomic
  select count(*) filter (where u.state in ('waiting', 'draft', 'checking', 'checked', 'received')),
    count(*) filter (where u.created_at > now() - interval '1 day')
  from certvakt.uploads u where u.organisation_id = uploads_of.organisation;
end;
comment on function certvakt.uploads_of is
  'Returns how many registers of an organisation are not imported yet, and how many were announced in the last day.';
revoke all on function certvakt.uploads_of(uuid) from public, anon, authenticated, service_role;
grant execute on function certvakt.uploads_of(uuid) to authenticated;
grant select (organisation_id, state, created_at) on certvakt.uploads to certvakt_definer;
create policy definer_counts on certvakt.uploads for select to certvakt_definer using (true);
alter function certvakt.uploads_of(uuid) owner to certvakt_definer;
grant select (person_id, organisation_id, state, created_at, finished_at) on certvakt.uploads to certvakt_worker;
create policy worker_reads on certvakt.uploads for select to certvakt_worker using (true);
-- The registrar imports uploads, one organisation after the other, so that none waits for all uploads of another. It also
-- removes a person who is erased.
grant select, update (person_id, content, proposal, attempt, state, result, rejected, finished_at, taken_up_at), delete
  on certvakt.uploads to certvakt_registrar;
create policy registrar_takes on certvakt.uploads to certvakt_registrar using (true) with check (true);
