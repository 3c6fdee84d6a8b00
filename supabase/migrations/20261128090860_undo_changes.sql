-- The results of the changes that people make with forms, for a day: what a change replaced, so that the person can undo it, or
-- why it was refused.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

create table certvakt.change_results (
  made_by uuid not null references certvakt.people (id) on delete cascade,
  form uuid not null,
  certification_id uuid not null references public.peer_mentor_certifications (id) on delete cascade,
  made_at timestamptz not null default now(),
  refusal text constraint change_results_refusal_form check (refusal ~ '^[a-z-]{1,40}$'),
  kind text constraint change_results_kind_known check (kind in ('renewed', 'corrected', 'suspended', 'reinstated')),
  version timestamptz,
  expires_at timestamptz,
  status text,
  suspended_until date,
  undone_at timestamptz,
  correction text constraint change_results_correction_known check (correction in ('mailed', 'unreachable')),
  primary key (made_by, form, certification_id),
  constraint change_results_one_result check (num_nonnulls(refusal, version) = 1),
  constraint change_results_undoable check ((version is null) = (status is null))
);
comment on table certvakt.change_results is
  'The results of the changes that a person made with a form: what each replaced, so that the person can undo it within a day, or why it was refused.';
comment on column certvakt.change_results.form is 'The id that the form carried. Several certifications can have the same.';
comment on column certvakt.change_results.refusal is 'The code of the error, as in docs/errors.md.';
comment on column certvakt.change_results.kind is 'What was done, as in the history; null if it was refused.';
comment on column certvakt.change_results.version is 'updated_at of the certification after the change. A change with another version cannot be undone.';
comment on column certvakt.change_results.expires_at is 'The end of the validity before the change; null if it did not expire.';
comment on column certvakt.change_results.status is 'The status before the change.';
comment on column certvakt.change_results.correction is
  'Whether an e-mail corrects a notice of the change that was sent before the undo, or the mentor has no mail address for it. Null: no notice was sent.';
create index change_results_certification on certvakt.change_results (certification_id);
create index change_results_made_at on certvakt.change_results (made_at);

alter table certvakt.change_results enable row level security;
alter table certvakt.change_results force row level security;
revoke all on certvakt.change_results from public, anon, authenticated, service_role;
-- The trigger before_update of certifications records what a change replaced.
grant select, insert, update on certvakt.change_results to certvakt_definer;
create policy definer_records on certvakt.change_results to certvakt_definer using (true) with check (true);
grant select (made_by, form, certification_id, made_at, refusal, kind, version, expires_at, status, suspended_until, undone_at, correction),
  insert (made_by, form, certification_id, refusal), update (undone_at) on certvakt.change_results to authenticated;
create policy people_see_own on certvakt.change_results for select to authenticated using (made_by = (select certvakt.current_person()));
create policy people_record_refusals on certvakt.change_results for insert to authenticated
  with check (made_by = (select certvakt.current_person()) and refusal is not null
    and exists (select from public.peer_mentor_certifications c where c.id = change_results.certification_id));
create policy people_undo_own on certvakt.change_results for update to authenticated
  using (made_by = (select certvakt.current_person())) with check (made_by = (select certvakt.current_person()));
grant select (made_by), delete on certvakt.change_results to certvakt_registrar;
create policy registrar_erases on certvakt.change_results to certvakt_registrar using (true) with check (false);
grant select (made_at), delete on certvakt.change_results to certvakt_auth;
create policy auth_deletes on certvakt.change_results to certvakt_auth using (true);
