select c.id, o.slug as organisation, c.external_id, t.code as type_code, t.name as type_name, h.name as chapter, c.expires_at,
  c.status as "status: CertificationStatus",
  coalesce((
    select max(k.changed_at) from certvakt.cycle_starts k
    where k.organisation_id = c.organisation_id and k.certification_id = c.id
  ), c.created_at) as "cycle_began!",
  (select coalesce(s.external_id, s.id::text)
   from certvakt.replacements r join public.peer_mentor_certifications s on s.id = r.successor_id
   where r.certification_id = c.id and c.status = 'suspended') as replaced_by,
  (
    select coalesce(jsonb_agg(jsonb_build_object(
      'kind', v.kind, 'made_at', v.made_at, 'made_by', v.made_by, 'before', b.name, 'after', a.name) order by v.made_at, v.id), '[]')
    from certvakt.person_changes v
    left join certvakt.chapters b on b.id = v.chapter_before
    left join certvakt.chapters a on a.id = v.chapter_after
    where v.person_id = c.peer_mentor_id and v.organisation_id = c.organisation_id) as "mentor_changes!: Json<Vec<PersonChange>>"
from public.peer_mentor_certifications c
join certvakt.organisations o on o.id = c.organisation_id
join certvakt.certification_types t on t.organisation_id = c.organisation_id and t.code = c.certification_type
join certvakt.chapters h on h.id = c.chapter_id
where c.id = $1
   or (c.organisation_id = any (array(select id from certvakt.organisations)) and c.external_id in ($2, $3))
order by o.slug, t.name, c.id
limit 100
