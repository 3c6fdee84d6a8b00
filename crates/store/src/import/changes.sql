-- What an import would change: for each consequence the number of rows, and the first ones ($3). A row can have several
-- consequences. $1 is the organisation, $2 its time zone, $4 what changed dates are, if that is decided for all.
with consequences as (
  select x.consequence, m.line, m.external_id, m.person_id, m.name, m.expires_before, m.expires_at,
    m.chapter_before, m.chapter_id
  from import_matches m
  cross join lateral (
    select m.certification_id is null as is_new,
      m.certification_id is not null and m.expires_before is distinct from m.expires_at as is_redated,
      coalesce($4, case when m.expires_at is null or m.expires_at > m.expires_before then 'renewed' else 'corrected' end)
        as kind,
      m.issued_before is distinct from m.issued_at or m.name_differs or m.email_differs or m.phone_differs
        or m.locale_differs or m.push_token_differs as is_edited
  ) d
  cross join lateral (values
    ('added', d.is_new),
    ('renewed', d.is_redated and d.kind = 'renewed'),
    ('corrected', d.is_redated and d.kind = 'corrected'),
    ('suspended', not d.is_new and m.status = 'suspended' and m.status_before <> 'suspended'),
    ('reinstated', not d.is_new and m.status <> 'suspended' and m.status_before = 'suspended'),
    ('moved', not d.is_new and m.moved),
    ('edited', not d.is_new and (d.is_edited or m.suspended_until_before is distinct from m.suspended_until)),
    ('unchanged', not d.is_new and not d.is_redated and not d.is_edited and not m.moved
      and m.status_before = m.status and m.suspended_until_before is not distinct from m.suspended_until)
  ) x (consequence, applies)
  where x.applies
  union all
  select 'missing', null, i.external_id, c.peer_mentor_id, null, c.expires_at, c.expires_at, c.chapter_id, c.chapter_id
  from import_missing i
  join public.peer_mentor_certifications c on c.id = i.id
),
numbered as (
  select c.*, count(*) over (partition by c.consequence) as number,
    row_number() over (partition by c.consequence order by c.line, c.external_id) as place
  from consequences c
)
select c.consequence, c.number, c.line, c.external_id, coalesce(c.name, n.name) as name,
  (c.expires_before at time zone $2)::date as valid_until_before, (c.expires_at at time zone $2)::date as valid_until,
  b.name as chapter_before, h.name as chapter
from numbered c
left join certvakt.person_names n on n.person_id = c.person_id and n.organisation_id = $1
left join certvakt.chapters b on b.id = c.chapter_before
left join certvakt.chapters h on h.id = c.chapter_id
where c.place <= $3
order by c.consequence, c.place
