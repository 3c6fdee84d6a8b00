-- The ids of certifications that match a filter, in no order, at most as many as asked for: to count them, and to sort them
-- by something else than their expiry. The parts are those of page.sql.
--
-- $1 maximum number   $2 and $3 the first and the last expiry   $4 chapter   $5 type   $6 text   $7 and $8 the ranges of types
-- $9 'suspended', 'withdrawn', 'unreachable' or 'declined'   $10 the day on which a suspension must not have ended
with asking as materialized (
  select certvakt.visible_chapters() as chapters, $2::text::timestamptz as first, $3::text::timestamptz as last
),
of_chapters as (
  select first.id
  from asking, unnest(asking.chapters) as v (chapter_id)
  cross join lateral (
    select c.id
    from public.peer_mentor_certifications c
    where c.chapter_id = v.chapter_id
      and case when c.expires_at is null then 'infinity' else c.expires_at end between asking.first and asking.last
      and ($5::text is null or c.certification_type = $5)
      and ($7::text[] is null
        or (not c.is_suspended or c.suspended_until < $10::date) and coalesce(c.expires_at, 'infinity') <@ ($8::tstzrange[])[array_position($7::text[], c.organisation_id || '/' || c.certification_type)])
    limit $1::bigint
  ) first
  where $6::text is null and $9::text is null and ($4::uuid is null or v.chapter_id = $4)
  limit $1::bigint
),
-- Those in a named state, or else the few that are visible for another reason than their chapter.
few as materialized (
  select case $9::text
    when 'unreachable' then array(select n.certification_id from certvakt.unreachable_notices(null, $4, 2147483647) n)
    when 'declined' then certvakt.declined_certifications()
    else certvakt.visible_elsewhere()
      || array(select c.id from public.peer_mentor_certifications c where c.peer_mentor_id = (select certvakt.current_person()))
      || array(select c.id from asking join public.peer_mentor_certifications c on c.chapter_id = any (asking.chapters)
        where $9::text in ('suspended', 'withdrawn') and c.is_suspended)
  end as ids
),
of_few as (
  select c.id
  from few join public.peer_mentor_certifications c on c.id = any (few.ids)
  where ($4::uuid is null or c.chapter_id = $4)
    and ($5::text is null or c.certification_type = $5)
    and ($7::text[] is null
      or (not c.is_suspended or c.suspended_until < $10::date) and coalesce(c.expires_at, 'infinity') <@ ($8::tstzrange[])[array_position($7::text[], c.organisation_id || '/' || c.certification_type)])
    and case when $9::text in ('suspended', 'withdrawn') then c.is_suspended and (c.suspended_until < $10::date) is not true
      and certvakt.is_withdrawn(c.status, c.renewal_history) = ($9::text = 'withdrawn') else true end
)
select array(
  select f.id from (
    select f.id from of_chapters f
    union select f.id from of_few f where $6::text is null
    union select c.id
      from certvakt.certification_details(case when $6::text is null then '{}' else array(select f.id from of_few f) end, false) c
      where certvakt.folded(c.external_id) like certvakt.folded($6) or certvakt.folded(c.mentor) like certvakt.folded($6)
    union select unnest(certvakt.search_certifications(certvakt.folded($6), $1, asking.first, '00000000-0000-0000-0000-000000000000', $4, $5, $7, $8, $10))
      from asking where $6::text is not null and $9::text is null
  ) f
  limit $1::bigint) as "ids!"
