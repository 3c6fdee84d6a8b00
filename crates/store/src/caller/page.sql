-- A page of certifications in the order of their expiry; those without an end come last. Merges the first rows of each
-- visible chapter, read in index order, with the few certifications that are visible for another reason. A text search
-- uses a separate function with an index.
--
-- $1 maximum number   $2 and $3 expiry and id of the last row of the previous page   $4 chapter   $5 type
-- $6 text to find in names and register ids   $7 and $8 per type, as the organisation's id, a slash and the code: the
-- range of expiries to list, without suspended certifications   $9 the end of these ranges
-- $10 'suspended', 'withdrawn', 'unreachable' or 'declined', to list only those
-- $11 the day on which a suspension must not have ended; null for today
with asking as materialized (
  select certvakt.visible_chapters() as chapters, $2::text::timestamptz as expiry
),
untold as materialized (
  select case $10::text
    when 'unreachable' then array(select n.certification_id from certvakt.unreachable_notices(null, $4, 2147483647) n)
    when 'declined' then certvakt.declined_certifications()
  end as ids
),
of_chapters as (
  select first.id
  from asking, unnest(asking.chapters) as v (chapter_id)
  cross join lateral (
    select c.id, case when c.expires_at is null then 'infinity' else c.expires_at end as expiry
    from public.peer_mentor_certifications c
    where c.chapter_id = v.chapter_id
      and (case when c.expires_at is null then 'infinity' else c.expires_at end, c.id) > (asking.expiry, $3)
      and case when c.expires_at is null then 'infinity' else c.expires_at end <= $9::text::timestamptz
      and ($5::text is null or c.certification_type = $5)
      and ($7::text[] is null
        or (not c.is_suspended or c.suspended_until < $11::date) and coalesce(c.expires_at, 'infinity') <@ ($8::tstzrange[])[array_position($7::text[], c.organisation_id || '/' || c.certification_type)])
    order by case when c.expires_at is null then 'infinity' else c.expires_at end, c.id
    limit $1::bigint
  ) first
  where $6::text is null and $10::text is null and ($4::uuid is null or v.chapter_id = $4)
  order by first.expiry, first.id
  limit $1::bigint
),
-- Few certifications are suspended, so a text is compared afterwards.
of_suspended as (
  select first.id
  from asking, unnest(asking.chapters) as v (chapter_id)
  cross join lateral (
    select c.id, case when c.expires_at is null then 'infinity' else c.expires_at end as expiry
    from public.peer_mentor_certifications c
    where c.chapter_id = v.chapter_id and c.is_suspended and (c.suspended_until < $11::date) is not true
      and (case when c.expires_at is null then 'infinity' else c.expires_at end, c.id) > (asking.expiry, $3)
      and ($5::text is null or c.certification_type = $5)
      and certvakt.is_withdrawn(c.status, c.renewal_history) = ($10::text = 'withdrawn')
    order by case when c.expires_at is null then 'infinity' else c.expires_at end, c.id
    limit case when $6::text is null then $1::bigint else 1000 end
  ) first
  where $10::text in ('suspended', 'withdrawn') and ($4::uuid is null or v.chapter_id = $4)
  order by first.expiry, first.id
  limit case when $6::text is null then $1::bigint else 1000 end
),
of_untold as (
  select c.id
  from asking cross join untold
  join public.peer_mentor_certifications c on c.id = any (untold.ids)
  where (case when c.expires_at is null then 'infinity' else c.expires_at end, c.id) > (asking.expiry, $3)
    and ($4::uuid is null or c.chapter_id = $4)
    and ($5::text is null or c.certification_type = $5)
  order by case when c.expires_at is null then 'infinity' else c.expires_at end, c.id
  limit case when $6::text is null then $1::bigint else 1000 end
),
of_text as (
  select certvakt.search_certifications(certvakt.folded($6), $1, asking.expiry, $3, $4, $5, $7, $8, $11) as ids
  from asking where $6::text is not null and $10::text is null
)
select c.id as "id!", c.organisation_id as "organisation_id!", c.chapter_id as "chapter_id!", c.chapter,
  c.mentor_id as "mentor_id!", c.mentor, c.family_name, c.is_mentor_erased as "is_mentor_erased!", c.type_code as "type_code!",
  c.type_name, c.external_id, c.issued_at, c.expires_at, c.status as "status!: CertificationStatus",
  c.suspended_until, c.is_withdrawn as "is_withdrawn!", c.is_managed as "is_managed!", c.updated_at as "updated_at!",
  c.time_zone as "zone!: Zone", c.expired_grace_days as "expired_grace_days!", c.lead_times as "lead_times!"
from asking cross join untold
cross join lateral certvakt.certification_details(array(select f.id from of_chapters f) || array(select f.id from of_suspended f)
  || array(select f.id from of_untold f) || coalesce((select ids from of_text), '{}'), true) c
where (coalesce(c.expires_at, 'infinity'), c.id) > (asking.expiry, $3)
  and ($4::uuid is null or c.chapter_id = $4)
  and ($5::text is null or c.type_code = $5)
  and ($6::text is null or certvakt.folded(c.external_id) like certvakt.folded($6) or certvakt.folded(c.mentor) like certvakt.folded($6))
  and ($7::text[] is null
    or (c.status <> 'suspended' or c.suspended_until < $11::date) and coalesce(c.expires_at, 'infinity') <@ ($8::tstzrange[])[array_position($7::text[], c.organisation_id || '/' || c.type_code)])
  and ($10::text is null or c.id = any (untold.ids)
    or untold.ids is null and c.status = 'suspended' and (c.suspended_until < $11::date) is not true and c.is_withdrawn = ($10::text = 'withdrawn'))
order by coalesce(c.expires_at, 'infinity'), c.id
limit $1
