-- Records what the import $1 changed in certifications and people that existed before.
insert into certvakt.import_changes (import_id, person_id, certification_id, before, after)
select $1, m.person_id, m.certification_id, d.before, d.after
from import_matches m
left join import_before b on b.line = m.line
cross join lateral (
  select jsonb_object_agg(f.field, f.before) as before, jsonb_object_agg(f.field, f.after) as after
  from (values
    ('chapter_id', to_jsonb(m.chapter_before), to_jsonb(m.chapter_id), m.certification_id is not null and m.moved),
    ('issued_at', to_jsonb(m.issued_before at time zone 'UTC'), to_jsonb(m.issued_at at time zone 'UTC'),
      m.certification_id is not null and m.issued_before is distinct from m.issued_at),
    ('expires_at', to_jsonb(m.expires_before at time zone 'UTC'), to_jsonb(m.expires_at at time zone 'UTC'),
      m.certification_id is not null and m.expires_before is distinct from m.expires_at),
    ('status', to_jsonb(m.status_before), to_jsonb(m.status),
      m.certification_id is not null and m.status_before is distinct from m.status),
    ('suspended_until', to_jsonb(m.suspended_until_before), to_jsonb(m.suspended_until),
      m.certification_id is not null and m.suspended_until_before is distinct from m.suspended_until),
    ('name', to_jsonb(b.name), to_jsonb(m.name), b.line is not null and m.name_differs),
    ('family_name', to_jsonb(b.family_name), to_jsonb(m.family_name), b.line is not null and m.name_differs),
    ('language', to_jsonb(b.locale), to_jsonb(m.locale), b.line is not null and m.locale_differs),
    ('email', to_jsonb(b.emails), to_jsonb(case when m.emails_are_complete then string_to_array(m.emails, ' ') else array(
      select unnest(b.emails) union select unnest(string_to_array(m.emails, ' '))) end), b.line is not null and m.email_differs),
    ('phone', to_jsonb(b.phones), to_jsonb(case when m.phones_are_complete then string_to_array(m.phones, ' ') else array(
      select unnest(b.phones) union select unnest(string_to_array(m.phones, ' '))) end), b.line is not null and m.phone_differs),
    ('push_token', null, to_jsonb(m.push_token), b.line is not null and m.push_token_differs)
  ) f (field, before, after, differs)
  where f.differs
) d
where d.before is not null and (m.certification_id is not null or b.line is not null)
