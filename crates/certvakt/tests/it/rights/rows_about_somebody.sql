-- Data of a person in every table, each with the mark zqx7 where it is a text.
update certvakt.people set name = 'Åse zqx7', family_name = 'zqx7', locale = 'nb' where id = '{person}';
insert into certvakt.person_names (person_id, organisation_id, name, family_name)
  select '{person}', id, 'Åse hos zqx7', 'zqx7' from certvakt.organisations;
insert into certvakt.register_ids (organisation_id, external_id, person_id)
  select id, 'medlem-zqx7', '{person}' from certvakt.organisations;
insert into certvakt.imports (organisation_id, chapter_ids, certification_types, read, added, updated, unchanged, rejected, renewed, corrected)
  select id, '{}', '{}', 0, 0, 0, 0, 0, 0, 0 from certvakt.organisations;
insert into certvakt.import_changes (import_id, person_id, before, after)
  select id, '{person}', '{"name": "zqx7 before"}', '{"name": "zqx7 after"}' from certvakt.imports;
update certvakt.imports set person_id = '{person}', undo_requested_by = '{person}',
  undo = '{"notified": ["medlem-zqx7"], "kept": [{"external_id": "medlem-zqx7", "fields": []}]}';
insert into certvakt.import_mappings (organisation_id, name, options, owner_id)
  select id, 'zqx7', '{}', '{person}' from certvakt.organisations;
insert into certvakt.contact_points (person_id, kind, address, installation)
  values ('{person}', 'push', 'token-zqx7', 'app-zqx7');
insert into certvakt.channel_opt_outs (person_id, kind) values ('{person}', 'push');
insert into certvakt.identities (issuer, subject, person_id)
  values ('https://zqx7.example', 'subject-zqx7', '{person}');
insert into certvakt.sessions (token_hash, issuer, subject, address, browser, acr)
  values (sha256('1'), 'https://zqx7.example', 'subject-zqx7', 'zqx7@example.org', 'zqx7', 'zqx7');
update certvakt.identities set address = 'zqx7@example.org' where person_id = '{person}';
insert into certvakt.known_browsers (person_id, token_hash) values ('{person}', sha256('6'));
insert into certvakt.address_uses (person_id, address) values ('{person}', 'zqx7@example.org');
insert into certvakt.address_confirmations (organisation_id, person_id, address, administrator_id, issuer, proof)
  select o.organisation_id, '{person}', 'zqx7@example.org', o.peer_mentor_id, 'i', 'login'
  from public.peer_mentor_certifications o where o.external_id = 'other';
insert into certvakt.address_confirmations (organisation_id, person_id, address, administrator_id, issuer, proof)
  select o.organisation_id, o.peer_mentor_id, 'other@example.org', '{person}', 'i', 'login'
  from public.peer_mentor_certifications o where o.external_id = 'other';
insert into certvakt.former_addresses (person_id, address) values ('{person}', 'old-zqx7@example.org');
insert into certvakt.mail_queue (kind, person_id, address, valid_for)
  values ('address-removed', '{person}', 'old-zqx7@example.org', interval '14 days');
insert into certvakt.invitations (person_id, token_hash, address) values ('{person}', sha256('2'), 'zqx7@example.org');
insert into certvakt.mail_queue (kind, person_id, contact_point_id, valid_for, return_to)
  select 'link', person_id, id, interval '15 minutes', '/certifications?q=zqx7' from certvakt.contact_points where kind = 'email';
insert into certvakt.idempotency_keys (person_id, key, request_hash, answer)
  values ('{person}', 'key-zqx7', sha256('3'), '{"body": {"name": "Åse zqx7"}}');
insert into certvakt.uploads (organisation_id, chapter_id, person_id, options, rejected)
  select organisation_id, id, '{person}', '{}', '{"header": ["Navn"], "rows": [[2, ["Åse zqx7"]]]}' from certvakt.chapters;
insert into certvakt.partners (organisation_id, code) select organisation_id, 'portal' from certvakt.chapters;
insert into certvakt.partner_types select organisation_id, 'portal', 'type' from certvakt.chapters;
insert into certvakt.listings (organisation_id, partner, partner_key, person_id, listing_consent_at)
  select organisation_id, 'portal', 'M-zqx7', '{person}', now() from certvakt.chapters;
insert into certvakt.partner_reports (organisation_id, partner, environment, event_id, partner_key, completed_on, outcome, reason)
  select organisation_id, 'portal', 'live', 'E-1', 'M-zqx7', '2026-06-01', 'waiting', 'course-unknown'
  from certvakt.chapters;
insert into certvakt.person_changes (organisation_id, person_id, kind)
  select organisation_id, '{person}', 'moved' from certvakt.chapters;
insert into certvakt.digest_settings (person_id) values ('{person}');
insert into certvakt.digests (organisation_id, person_id, kind, on_date)
  select id, '{person}', 'weekly', '2026-06-15' from certvakt.organisations;
insert into certvakt.contacts (certification_id, chapter_id, outcome, note, made_by)
  select id, chapter_id, 'reached', 'zqx7', peer_mentor_id from public.peer_mentor_certifications where peer_mentor_id = '{person}';
insert into certvakt.delivery_attempts (delivery_id, attempt, channel, outcome, detail)
  select d.id, 1, 'email', 'retry', '451' from certvakt.deliveries d
  join public.cert_notification_log l on l.id = d.id where l.recipient_id = '{person}';
-- Somebody else, whose requests speak of the person.
insert into certvakt.mail_queue (kind, person_id, contact_point_id, requested_by, valid_for)
  select 'link', o.peer_mentor_id, k.id, '{person}', interval '15 minutes'
  from public.peer_mentor_certifications o, certvakt.contact_points k
  where o.external_id = 'other' and k.kind = 'email';
insert into certvakt.idempotency_keys (person_id, key, request_hash, answer)
  select peer_mentor_id, 'others', sha256('4'), '{"body": {"mentor": {"id": "{person}", "name": "Åse zqx7"}}}'
  from public.peer_mentor_certifications where external_id = 'other';
insert into certvakt.access_events (number, at, person_id, method, resource, resource_id, status, rows_read,
    organisations_of_person, organisations_of_rows)
  select n, now(), case n when 1 then peer_mentor_id else '{person}' end, 'GET', '/api/v1/people/{id}',
    '{person}', 200, 1, '{}', '{}'
  from public.peer_mentor_certifications, generate_series(1, 2) n where external_id = 'other';
