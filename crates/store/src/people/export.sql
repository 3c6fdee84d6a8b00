-- All data stored about person $1, as a JSON object whose keys are in reading order. Returns no row if the person does
-- not exist.
select json_build_object(
  'person', json_build_object('id', p.id, 'name', p.name, 'family_name', p.family_name, 'language', p.locale, 'recorded_at', p.created_at, 'erased_at', p.erased_at),
  'names', (
    select coalesce(json_agg(json_build_object('organisation', o.name, 'name', n.name, 'family_name', n.family_name, 'language', n.locale) order by o.name, o.id), '[]')
    from certvakt.person_names n join certvakt.organisations o on o.id = n.organisation_id where n.person_id = p.id),
  'memberships', (
    select coalesce(json_agg(json_build_object(
      'organisation', o.name, 'chapter', h.name, 'role', m.role, 'since', m.created_at) order by m.created_at, h.name), '[]')
    from certvakt.memberships m
    join certvakt.organisations o on o.id = m.organisation_id
    join certvakt.chapters h on h.id = m.chapter_id
    where m.person_id = p.id),
  'contact_points', (
    select coalesce(json_agg(json_build_object(
      'kind', k.kind, 'address', k.address, 'organisation', o.name, 'installation', k.installation, 'since', k.created_at)
      order by k.id), '[]')
    from certvakt.contact_points k left join certvakt.organisations o on o.id = k.organisation_id where k.person_id = p.id),
  'register_ids', (
    select coalesce(json_agg(json_build_object('organisation', o.name, 'id', i.external_id) order by o.name, i.external_id), '[]')
    from certvakt.register_ids i join certvakt.organisations o on o.id = i.organisation_id where i.person_id = p.id),
  'values_before_imports', (
    select coalesce(json_agg(json_build_object(
      'organisation', o.name, 'at', i.finished_at, 'field', f.field, 'before', j.before ->> f.field, 'after', j.after ->> f.field)
      order by i.finished_at, f.field), '[]')
    from certvakt.import_changes j cross join jsonb_object_keys(j.before) f (field)
    join certvakt.imports i on i.id = j.import_id
    join certvakt.organisations o on o.id = i.organisation_id where j.person_id = p.id),
  'addresses_used', (
    select coalesce(json_agg(json_build_object('address', u.address, 'since', u.first_used_at) order by u.address), '[]')
    from certvakt.address_uses u where u.person_id = p.id),
  'addresses_confirmed', (
    select coalesce(json_agg(json_build_object(
      'address', a.address, 'organisation', o.name, 'at', a.confirmed_at, 'who', a.administrator_id) order by a.confirmed_at), '[]')
    from certvakt.address_confirmations a join certvakt.organisations o on o.id = a.organisation_id where a.person_id = p.id),
  'addresses_you_confirmed', (
    select coalesce(json_agg(json_build_object('who', a.person_id, 'organisation', o.name, 'at', a.confirmed_at)
      order by a.confirmed_at), '[]')
    from certvakt.address_confirmations a join certvakt.organisations o on o.id = a.organisation_id
    where a.administrator_id = p.id),
  'addresses_former', (
    select coalesce(json_agg(json_build_object('address', f.address, 'organisation', o.name, 'ended_at', f.left_at)
      order by f.left_at, f.address), '[]')
    from certvakt.former_addresses f left join certvakt.organisations o on o.id = f.organisation_id where f.person_id = p.id),
  'browsers_known', (
    select coalesce(json_agg(json_build_object('used_at', k.seen_at) order by k.seen_at), '[]')
    from certvakt.known_browsers k where k.person_id = p.id),
  'opt_outs', (
    select coalesce(json_agg(json_build_object('kind', c.kind, 'since', c.created_at) order by c.kind), '[]')
    from certvakt.channel_opt_outs c where c.person_id = p.id),
  'logins', (
    select coalesce(json_agg(json_build_object(
      'issuer', i.issuer, 'subject', i.subject, 'by_invitation_to', i.address, 'since', i.created_at,
      'sessions', (
        select coalesce(json_agg(json_build_object(
          'browser', s.browser, 'by_link_to', s.address, 'began_at', s.created_at, 'used_at', s.seen_at, 'ends_at', s.expires_at) order by s.created_at), '[]')
        from certvakt.sessions s where s.issuer = i.issuer and s.subject = i.subject))
      order by i.created_at), '[]')
    from certvakt.identities i where i.person_id = p.id),
  'invitations', (
    select coalesce(json_agg(json_build_object(
      'address', i.address, 'made_at', i.created_at, 'ends_at', i.expires_at, 'used_at', i.used_at) order by i.created_at), '[]')
    from certvakt.invitations i where i.person_id = p.id),
  'mails', (
    select coalesce(json_agg(json_build_object(
      'kind', l.kind, 'address', l.address, 'asked_for_at', l.requested_at, 'mailed_at', l.mailed_at, 'used_at', l.used_at) order by l.requested_at), '[]')
    from certvakt.mail_queue l where l.person_id = p.id),
  'digests', json_build_object(
    'schedule', (
      select json_build_object('schedule', s.schedule, 'weekday', s.weekday) from certvakt.digest_settings s where s.person_id = p.id),
    'mails', (
      select coalesce(json_agg(json_build_object('organisation', o.name, 'kind', g.kind, 'on_date', g.on_date, 'mailed_at', g.mailed_at)
        order by g.on_date, o.name, g.kind), '[]')
      from certvakt.digests g join certvakt.organisations o on o.id = g.organisation_id where g.person_id = p.id)),
  'certifications', (
    select coalesce(json_agg(json_build_object(
      'id', c.id, 'organisation', o.name, 'chapter', h.name, 'type', t.name, 'register_id', c.external_id,
      'issued_at', c.issued_at, 'expires_at', c.expires_at, 'status', c.status, 'suspended_until', c.suspended_until, 'recorded_at', c.created_at,
      'replaced_by', (select s.external_id from certvakt.replacements r
        join public.peer_mentor_certifications s on s.id = r.successor_id where r.certification_id = c.id),
      'history', (
        select coalesce(json_agg(json_build_object(
          'kind', e.entry ->> 'kind', 'at', e.entry ->> 'at', 'actor', e.entry ->> 'actor', 'source', e.entry ->> 'source',
          'completed_on', e.entry ->> 'completed_on', 'expires_before', e.entry ->> 'expires_before',
          'expires_after', e.entry ->> 'expires_after', 'told', e.entry -> 'told',
          'evidence', w.evidence, 'note', w.note,
          'words_erased', e.entry ->> 'words' is not null and w.entry_id is null) order by e.number), '[]')
        from jsonb_array_elements(certvakt.entries_of(c.id, c.renewal_history)) with ordinality e (entry, number)
        left join certvakt.renewal_remarks w on w.certification_id = c.id and w.entry_id::text = e.entry ->> 'id'),
      'contacts', (
        select coalesce(json_agg(json_build_object(
          'at', k.made_at, 'outcome', k.outcome, 'next_on', k.next_on, 'note', k.note, 'who', k.made_by) order by k.made_at, k.id), '[]')
        from certvakt.contacts k where k.certification_id = c.id),
      'notices', (
        select coalesce(json_agg(json_build_object(
          'stage', l.notification_type, 'recorded_at', l.sent_at, 'due_date', d.due_date, 'expires_at', d.expires_at,
          'state', d.state, 'reason', d.reason, 'ended_at', d.finished_at,
          'attempts', (
            select coalesce(json_agg(json_build_object(
              'at', a.finished_at, 'channel', a.channel, 'outcome', a.outcome, 'detail', a.detail)
              order by a.attempt, a.message), '[]')
            from certvakt.delivery_attempts a where a.delivery_id = d.id)) order by l.id), '[]')
        from public.cert_notification_log l left join certvakt.deliveries d on d.id = l.id
        where l.certification_id = c.id))
      order by c.created_at, c.id), '[]')
    from public.peer_mentor_certifications c
    join certvakt.organisations o on o.id = c.organisation_id
    join certvakt.chapters h on h.id = c.chapter_id
    join certvakt.certification_types t on t.organisation_id = c.organisation_id and t.code = c.certification_type
    where c.peer_mentor_id = p.id),
  'person_changes', (
    select coalesce(json_agg(json_build_object(
      'organisation', o.name, 'kind', v.kind, 'at', v.made_at, 'chapter_before', b.name, 'chapter_after', a.name, 'who', v.made_by)
      order by v.made_at, v.id), '[]')
    from certvakt.person_changes v
    join certvakt.organisations o on o.id = v.organisation_id
    left join certvakt.chapters b on b.id = v.chapter_before
    left join certvakt.chapters a on a.id = v.chapter_after
    where v.person_id = p.id),
  'listings', (
    select coalesce(json_agg(json_build_object(
      'organisation', o.name, 'partner', l.partner, 'partner_key', l.partner_key, 'enrolled_at', l.enrolled_at,
      'consent_since', l.listing_consent_at,
      'excluded_since', l.excluded_at, 'listed', l.is_listed, 'accepted_at', l.accepted_at,
      'consents', (
        select coalesce(json_agg(json_build_object('at', n.at, 'given', n.is_given, 'who', n.actor, 'issuer', n.issuer, 'proof', n.proof,
          'text_version', n.text_version, 'text_language', n.locale, 'given_as', n.given_as, 'given_on', n.given_on) order by n.id), '[]')
        from certvakt.listing_consents n
        where n.person_id = p.id and n.organisation_id = l.organisation_id and n.partner = l.partner),
      'changes', (
        select coalesce(json_agg(json_build_object('at', e.at, 'status', e.status, 'reason', e.cause) order by e.number), '[]')
        from certvakt.partner_events e
        where e.organisation_id = l.organisation_id and e.partner = l.partner and e.partner_key = l.partner_key),
      'reports', (
        select coalesce(json_agg(json_build_object(
          'event', r.event_id, 'at', r.received_at, 'completed_on', r.completed_on, 'ends_at', r.valid_until,
          'outcome', r.outcome, 'reason', r.reason) order by r.received_at, r.event_id), '[]')
        from certvakt.partner_reports r
        where r.organisation_id = l.organisation_id and r.partner = l.partner and r.partner_key = l.partner_key))
      order by o.name, l.partner), '[]')
    from certvakt.listings l join certvakt.organisations o on o.id = l.organisation_id
    where l.person_id = p.id),
  -- Requests by anybody for this person or one of their certifications.
  'who_looked', (
    select coalesce(json_agg(json_build_object(
      'at', a.at, 'who', a.person_id, 'name', coalesce(w.name, n.name), 'method', a.method, 'resource', a.resource, 'status', a.status)
      order by a.number), '[]')
    from certvakt.access_events a left join certvakt.people w on w.id = a.person_id
    left join lateral (
      select n.name from certvakt.person_names n where n.person_id = a.person_id order by n.organisation_id limit 1
    ) n on true
    -- An array, so that PostgreSQL reads the index of the ids, and not the log.
    where a.resource_id = any (array(
      select p.id union all select c.id from public.peer_mentor_certifications c where c.peer_mentor_id = p.id))),
  -- The person's own requests; the record does not name other people.
  'requests', (
    select coalesce(json_agg(json_build_object(
      'at', a.at, 'method', a.method, 'resource', a.resource, 'resource_id', a.resource_id, 'status', a.status) order by a.number), '[]')
    from certvakt.access_events a where a.person_id = p.id),
  'registers', (
    select coalesce(json_agg(json_build_object(
      'organisation', o.name, 'state', u.state, 'announced_at', u.created_at, 'ended_at', u.finished_at) order by u.created_at), '[]')
    from certvakt.uploads u join certvakt.organisations o on o.id = u.organisation_id where u.person_id = p.id),
  'imports', (
    select coalesce(json_agg(json_build_object(
      'organisation', o.name, 'number', i.id, 'at', i.finished_at, 'is_theirs', coalesce(i.person_id = p.id, false),
      'asked_to_undo', coalesce(i.undo_requested_by = p.id, false)) order by i.id), '[]')
    from certvakt.imports i join certvakt.organisations o on o.id = i.organisation_id
    where i.person_id = p.id or i.undo_requested_by = p.id),
  'saved_mappings', (
    select coalesce(json_agg(json_build_object('organisation', o.name, 'name', s.name, 'saved_at', s.updated_at)
      order by s.name), '[]')
    from certvakt.import_mappings s join certvakt.organisations o on o.id = s.organisation_id where s.owner_id = p.id),
  'answers_remembered', (
    select count(*) from certvakt.idempotency_keys k
    where k.person_id = p.id or position(p.id::text in k.answer::text) > 0)
)::text as "export!",
  coalesce(p.locale, home.locale, 'nb') as "locale!", coalesce(home.time_zone, 'UTC') as "zone!: Zone"
from certvakt.people p
-- One of the person's organisations, for the language and the time zone.
left join lateral (
  select o.locale, o.time_zone from certvakt.organisations o
  where o.id in (select c.organisation_id from public.peer_mentor_certifications c where c.peer_mentor_id = p.id)
    or o.id in (select m.organisation_id from certvakt.memberships m where m.person_id = p.id)
  order by o.id limit 1
) home on true
where p.id = $1
