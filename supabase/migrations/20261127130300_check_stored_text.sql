-- What was stored before keeps to the checks as well.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

alter table public.peer_mentor_certifications
  validate constraint peer_mentor_certifications_issued_at_range,
  validate constraint peer_mentor_certifications_external_id_plain;
alter table public.cert_notification_log validate constraint cert_notification_log_sent_at_finite;
alter table certvakt.partner_reports
  validate constraint partner_reports_days_finite,
  validate constraint partner_reports_event_id_plain,
  validate constraint partner_reports_partner_key_plain;
alter table certvakt.listings validate constraint listings_partner_key_plain;
alter table certvakt.organisations validate constraint organisations_name_plain;
alter table certvakt.chapters validate constraint chapters_name_plain;
alter table certvakt.certification_types validate constraint certification_types_name_plain;
alter table certvakt.people validate constraint people_name_plain;
alter table certvakt.person_names validate constraint person_names_name_plain;
alter table certvakt.contact_points
  validate constraint contact_points_address_plain,
  validate constraint contact_points_installation_plain;
alter table certvakt.identities validate constraint identities_plain;
alter table certvakt.access_closures validate constraint access_closures_reason_plain;
alter table certvakt.renewal_words
  validate constraint renewal_words_evidence_plain,
  validate constraint renewal_words_note_plain;
