-- $1 the last id of the previous page   $2 maximum number
-- $3 organisation, or all   $4 chapter, or all   $5 person, or all
-- $6 whether to include certifications without a history
select c.id, c.organisation_id, o.slug as organisation, o.time_zone as "zone: Zone", h.name as chapter, c.peer_mentor_id as mentor_id,
  c.external_id, t.name as type_name, c.issued_at, c.created_at, c.expires_at, c.status as "status: CertificationStatus",
  certvakt.entries_of(c.id, c.renewal_history) as "history!: Json<Vec<Value>>",
  (select coalesce(jsonb_object_agg(w.entry_id, jsonb_build_object(
      'salt', encode(w.salt, 'hex'), 'evidence', w.evidence, 'note', w.note)), '{}')
    from certvakt.renewal_remarks w where w.certification_id = c.id) as "words!: Json<HashMap<Uuid, Remarks>>"
from public.peer_mentor_certifications c
join certvakt.organisations o on o.id = c.organisation_id
join certvakt.chapters h on h.id = c.chapter_id
join certvakt.certification_types t on t.organisation_id = c.organisation_id and t.code = c.certification_type
where c.id > $1
  and ($3::uuid is null or c.organisation_id = $3)
  and ($4::text is null or h.slug = $4)
  and ($5::uuid is null or c.peer_mentor_id = $5)
  and ($6 or c.renewal_history <> '[]')
order by c.id
limit $2
