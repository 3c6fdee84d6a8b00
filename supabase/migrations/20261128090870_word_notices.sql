-- An organisation's own words in the e-mails of notices.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

create table certvakt.notice_texts (
  organisation_id uuid not null references certvakt.organisations (id) on delete cascade,
  -- squawk-ignore prefer-bigint-over-int
  days_before integer not null references certvakt.stages (days_before) on delete cascade,
  locale text not null constraint notice_texts_locale_known check (locale in ('nb', 'en')),
  body text not null constraint notice_texts_body_length check (length(body) between 1 and 2000)
    constraint notice_texts_body_plain check (replace(body, e'\n', '') !~ certvakt.forbidden_characters()),
  primary key (organisation_id, days_before, locale)
);
comment on table certvakt.notice_texts is
  'The text that an organisation wrote for the e-mails of a stage in a language. Without one, the built-in text is sent.';
comment on column certvakt.notice_texts.days_before is 'The stage, as in certvakt.stages.';
comment on column certvakt.notice_texts.body is
  'Plain text. An empty line ends a paragraph. certvakt replaces {name}, {type}, {date}, {days}, {remaining}, {chapter} and {organisation}.';
create index notice_texts_stage on certvakt.notice_texts (days_before);

alter table certvakt.notice_texts enable row level security;
alter table certvakt.notice_texts force row level security;
revoke all on certvakt.notice_texts from public, anon, authenticated, service_role;
grant select on certvakt.notice_texts to certvakt_worker;
create policy worker_reads on certvakt.notice_texts for select to certvakt_worker using (true);
grant select, insert, update (body), delete on certvakt.notice_texts to certvakt_registrar;
create policy registrar_manages on certvakt.notice_texts to certvakt_registrar using (true) with check (true);
grant select (organisation_id, days_before, locale, body), insert (organisation_id, days_before, locale, body), update (body),
  delete on certvakt.notice_texts to authenticated;
create policy administrators_word on certvakt.notice_texts to authenticated using (exists (
  select from certvakt.visible_memberships m
  where m.person_id = (select certvakt.current_person()) and m.organisation_id = notice_texts.organisation_id
    and m.role = 'org_admin'));

create function certvakt.letter_to(certification uuid, days_before integer)
returns table (organisation_id uuid, organisation text, locale text, body text)
language sql stable security definer set search_path = ''
begin atomic
  select o.id, o.name, l.locale, t.body
  from certvakt.visible_certifications c
  join certvakt.organisations o on o.id = c.organisation_id
  join certvakt.people p on p.id = c.peer_mentor_id
  left join certvakt.person_names n on n.person_id = p.id and n.organisation_id = o.id
  cross join lateral (select coalesce(p.locale, n.locale, o.locale)) l (locale)
  left join certvakt.notice_texts t
    on t.organisation_id = o.id and t.days_before = letter_to.days_before and t.locale = l.locale
  where c.id = letter_to.certification and c.chapter_id = any ((select certvakt.visible_chapters())::uuid[]);
end;
comment on function certvakt.letter_to is
  'Returns who writes to the mentor of a certification, in which language, and the organisation''s own text for a stage, for those who manage the chapter.';
grant select on certvakt.notice_texts to certvakt_definer;
create policy definer_reads on certvakt.notice_texts for select to certvakt_definer using (true);
revoke all on function certvakt.letter_to(uuid, integer) from public, anon, authenticated, service_role;
grant execute on function certvakt.letter_to(uuid, integer) to authenticated;
alter function certvakt.letter_to(uuid, integer) owner to certvakt_definer;
