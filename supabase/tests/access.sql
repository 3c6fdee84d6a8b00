-- Privileges and policies, checked against the catalogue. Together with lints.sql, it covers Supabase's linter.
begin;
select plan(24);
\if :{?world}
\ir :world
\endif

create view pg_temp.ours as
select c.oid, c.oid::regclass::text as name, n.nspname, c.relname, c.relkind, c.relowner, c.relrowsecurity, c.relforcerowsecurity
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f')
  and (n.nspname = 'certvakt' or n.nspname = 'public' and c.relname in ('peer_mentor_certifications', 'cert_notification_log'));

select is_empty($$
  select name from pg_temp.ours
  where relkind <> 'v' and relname <> 'schema_migrations' and not (relrowsecurity and relforcerowsecurity)$$,
  'row-level security is enabled and forced on every table');
select is_empty($$
  select name from pg_temp.ours where relkind in ('r', 'p') and relname <> 'schema_migrations'
    and not exists (select from pg_policy where polrelid = ours.oid)$$, 'every table has a policy');
select is_empty($$
  select name from pg_temp.ours where relkind in ('r', 'p')
    and not exists (select from pg_constraint where conrelid = ours.oid and contype = 'p')$$, 'every table has a primary key');
select is_empty($$
  select c.oid::regclass, c.relkind from pg_class c join pg_namespace n on n.oid = c.relnamespace, unnest(array['anon', 'authenticated']) as r(rolname)
  where n.nspname in ('certvakt', 'public') and has_any_column_privilege(r.rolname, c.oid, 'SELECT')
    and (c.relkind in ('m', 'f') or c.relkind = 'v' and not exists (
      select from pg_options_to_table(c.reloptions) where option_name = 'security_invoker' and option_value::boolean))$$,
  'people reach no view with its owner''s rights, and no relation without policies');
select is_empty($$
  select o.name, r.rolname, p.privilege from pg_temp.ours o, unnest(array['anon', 'authenticated']) as r(rolname),
    unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) as p(privilege)
  where has_table_privilege(r.rolname, o.oid, p.privilege)
    and (r.rolname, o.relname, p.privilege) not in (
      ('authenticated', 'peer_mentor_certifications', 'SELECT'), ('authenticated', 'runs', 'SELECT'),
      ('authenticated', 'contacts', 'DELETE'), ('authenticated', 'idempotency_keys', 'SELECT'), ('authenticated', 'idempotency_keys', 'DELETE'), ('authenticated', 'kept_forms', 'DELETE'), ('authenticated', 'notice_texts', 'DELETE'),
      ('authenticated', 'uploads', 'DELETE'),
      ('authenticated', 'visible_memberships', 'SELECT'))$$,
  'people read certifications, runs, the memberships that they may see and their own keys, and nothing else as a whole');
select is((
  select string_agg(c.relname || ' ' || p.privilege || ' ' || p.columns, e'\n' order by c.relname, p.privilege) from pg_temp.ours c,
    lateral (
      select priv.privilege, string_agg(a.attname, ', ' order by a.attnum) as columns
      from pg_attribute a, unnest(array['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) as priv(privilege)
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        and has_column_privilege('authenticated', c.oid, a.attnum, priv.privilege)
        and not has_table_privilege('authenticated', c.oid, priv.privilege)
      group by priv.privilege) p), $$certification_types INSERT organisation_id, code, name, validity_months, renewal_rule, renewal_window_days, lead_times, external_id
certification_types SELECT organisation_id, code, name, validity_months, renewal_rule, renewal_window_days, lead_times
certification_types UPDATE name, validity_months, lead_times
change_results INSERT made_by, form, certification_id, refusal
change_results SELECT made_by, form, certification_id, made_at, refusal, kind, version, expires_at, status, suspended_until, undone_at, correction
change_results UPDATE undone_at
chapters INSERT organisation_id, parent_id, slug, name, external_id
chapters SELECT id, organisation_id, parent_id, slug, name, required_mentors
chapters UPDATE name
chapters_without_coordinator SELECT organisation_id, chapter_id, name
contact_points SELECT id, person_id, kind, installation, created_at
contacts INSERT id, certification_id, chapter_id, expires_at, outcome, next_on, note, made_by
contacts SELECT id, certification_id, chapter_id, expires_at, outcome, next_on, note, made_at, made_by
digest_settings INSERT person_id, schedule, weekday
digest_settings SELECT person_id, schedule, weekday
digest_settings UPDATE schedule, weekday
idempotency_keys INSERT person_id, key, request_hash
idempotency_keys UPDATE answer
import_mappings SELECT organisation_id, name, options, owner_id
imports SELECT id, organisation_id, read, added, updated, unchanged, rejected, renewed, corrected, finished_at, operator, duplicate, undone_at, person_id, limited_to, undo_requested_at, undo
imports UPDATE undo_requested_at, undo_requested_by
kept_forms SELECT person_id, path, fields, kept_at
memberships SELECT organisation_id, chapter_id, person_id, role
notice_texts INSERT organisation_id, days_before, locale, body
notice_texts SELECT organisation_id, days_before, locale, body
notice_texts UPDATE body
organisations SELECT id, slug, name, time_zone, locale, run_at, deliver_from, deliver_until, expired_grace_days, run_limit_floor, run_limit_percent, names_certification, digest_names, lead_times
organisations UPDATE name, locale, run_at, deliver_from, deliver_until, expired_grace_days, run_limit_floor, run_limit_percent, names_certification, digest_names, lead_times
peer_mentor_certifications INSERT organisation_id, chapter_id, peer_mentor_id, certification_type, issued_at, expires_at
peer_mentor_certifications UPDATE expires_at, status, suspended_until
people SELECT id, name, family_name, locale, erased_at
person_changes SELECT id, organisation_id, person_id, kind, chapter_before, chapter_after, made_at, made_by
person_names SELECT person_id, organisation_id, name, family_name
stages SELECT days_before
uploads INSERT organisation_id, chapter_id, limited_to, options, content, proposal, state
uploads SELECT id, organisation_id, chapter_id, person_id, limited_to, options, content, proposal, state, result, rejected, created_at, finished_at
uploads UPDATE chapter_id, person_id, options, content, proposal, attempt, state$$, 'people reach only these columns of other tables');
select is_empty($$
  select o.name, p.privilege from pg_temp.ours o, unnest(array['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) as p(privilege)
  where has_any_column_privilege('anon', o.oid, p.privilege)$$, 'anon has no privilege on any table');
select ok(not has_schema_privilege('anon', 'certvakt', 'USAGE'), 'anon may not use the schema');
select is((
  select string_agg(distinct r.rolname || ' ' || p.proname, ', ') from pg_proc p join pg_namespace n on n.oid = p.pronamespace,
    unnest(array['anon', 'authenticated', 'public']) as r(rolname)
  where n.nspname = 'certvakt' and has_function_privilege(r.rolname, p.oid, 'EXECUTE')),
  'authenticated accept_invitation, authenticated access_of, authenticated add_address, authenticated add_person, authenticated add_phone, authenticated addresses_of, authenticated administers, authenticated alphabetical, '
  'authenticated certification_details, authenticated change_certification, authenticated chapter_sizes, authenticated closed_organisations, authenticated coming_notices, authenticated confirm_address, '
  'authenticated consent_to_listing, authenticated consents_of, authenticated current_organisations, authenticated current_person, authenticated declined_certifications, authenticated end_my_sessions, authenticated end_person, '
  'authenticated end_role, authenticated explanation_of, authenticated folded, authenticated forbidden_characters, authenticated give_role, authenticated hand_over_chapter, authenticated has_entry, authenticated history_of, authenticated invite, '
  'authenticated is_withdrawn, authenticated letter_to, authenticated listings_of, authenticated may_correct_addresses, authenticated may_end, authenticated may_erase, authenticated merge_people, authenticated move_mentors, authenticated my_consents, '
  'authenticated my_contact_points, authenticated my_listings, authenticated my_partners, authenticated my_sessions, authenticated namesakes, authenticated notices_of, authenticated opt_in, authenticated opt_out, '
  'authenticated opt_outs, authenticated partner_alarms, authenticated people_of, authenticated readable_addresses, authenticated recent_notices, authenticated record_consent, authenticated register_device, authenticated removals_at, authenticated remove_address, authenticated remove_contact_point, '
  'authenticated remove_device, authenticated repeat_run, authenticated require_mentors, authenticated resume_partner, authenticated return_person, authenticated search_certifications, authenticated search_people, authenticated settle_report, '
  'authenticated suspected_imports, authenticated unreachable_notices, authenticated uploads_of, authenticated uuid_v7, authenticated visible_chapters, authenticated visible_elsewhere, authenticated waiting_reports, '
  'authenticated withdraw_address_confirmations, authenticated withdraw_invitation', 'people may call only functions of policies and functions for people');
select is_empty($$
  select p.oid::regprocedure from pg_proc p, unnest(array['anon', 'authenticated']) as r(rolname)
  where p.pronamespace = 'public'::regnamespace and p.prosecdef and has_function_privilege(r.rolname, p.oid, 'EXECUTE')$$,
  'and none in public that has its owner''s rights');
select is_empty($$
  select polrelid::regclass, polname from pg_policy
  where polrelid in (select oid from pg_temp.ours) and polroles && array[0, 'anon'::regrole]::oid[]$$,
  'every policy names its roles, and none is for anon');
select is_empty($$
  select p.polrelid::regclass, r.rolname, v.verb from pg_policy p, unnest(p.polroles) as role(oid) join pg_roles r on r.oid = role.oid,
    unnest(array['r', 'a', 'w', 'd']) as v(verb)
  where p.polpermissive and p.polcmd::text in (v.verb, '*') and p.polrelid in (select oid from pg_temp.ours)
  group by 1, 2, 3 having count(*) > 1$$, 'no two permissive policies for a role and a verb');
select is_empty($$
  select polrelid::regclass, polname from pg_policy, lateral (
    select regexp_replace(coalesce(pg_get_expr(polqual, polrelid), '') || coalesce(pg_get_expr(polwithcheck, polrelid), ''),
      '\( ?SELECT certvakt\.[a-z_]+\([^()]*\) AS [a-z_]+\)', '', 'gi') as rest) as without_subselects
  where polrelid in (select oid from pg_temp.ours) and rest ~ '(certvakt\.[a-z_]+\(|current_setting|auth\.)'$$,
  'no policy determines the caller once per row');
select is_empty($$
  select r.rolname from pg_roles r, (select oid, relowner from pg_temp.ours where relname = 'cert_notification_log') l
  where not r.rolsuper and r.oid <> l.relowner and not pg_has_role(r.oid, l.relowner, 'USAGE')
    and r.rolname not like 'pg\_%' and has_table_privilege(r.oid, l.oid, 'DELETE')$$, 'no role but the owner may delete from the log');
select is_empty($$
  select r.rolname from pg_roles r, (select oid, relowner from pg_temp.ours where relname = 'cert_notification_log') l
  where r.rolname in ('certvakt_worker', 'certvakt_registrar', 'certvakt_auth', 'certvakt_definer', 'certvakt_viewer', 'service_role', 'anon', 'authenticated')
    and (has_table_privilege(r.oid, l.oid, 'UPDATE') or has_table_privilege(r.oid, l.oid, 'TRUNCATE'))$$, 'no role may update or truncate the log');
select is((
  select string_agg(r.rolname, ', ' order by r.rolname) from pg_roles r
  where r.rolname in ('certvakt_worker', 'certvakt_registrar', 'certvakt_auth', 'certvakt_definer', 'certvakt_viewer', 'service_role', 'anon', 'authenticated')
    and has_table_privilege(r.oid, 'public.cert_notification_log', 'INSERT')),
  'certvakt_worker, service_role', 'certvakt_worker and service_role may insert into the log');
select is_empty($$select rolname from pg_roles where rolname like 'certvakt\_%' and rolname not in ('certvakt_owner', 'certvakt_service')
  and (rolsuper or rolbypassrls or rolcanlogin or rolcreaterole or rolcreatedb or rolreplication)$$, 'the roles of the service have no special attributes');
select is(
  (select string_agg(r.rolname || ' ' || c.oid::regclass, ', ' order by r.rolname) from pg_class c join pg_roles r on r.oid = c.relowner
   where r.rolname in ('certvakt_worker', 'certvakt_registrar', 'certvakt_auth', 'certvakt_definer', 'certvakt_viewer')),
  'certvakt_definer certvakt.visible_contact_points, certvakt_viewer certvakt.visible_certifications', 'the roles own only the views that people''s policies restrict');
select is(
  (select string_agg(p.polname || ' ' || p.polroles::regrole[]::text, ', ' order by p.polname) from pg_policy p
   where p.polrelid = 'public.peer_mentor_certifications'::regclass and 'certvakt_viewer'::regrole = any (p.polroles)),
  'access_is_open {authenticated,certvakt_viewer}, people_see {authenticated,certvakt_viewer}',
  'who may see a certification is defined by these policies, for people and for functions');
-- Exceptions: current_organisations and certification_details select the caller's own certifications,
-- search_certifications reads the visible chapters, and the registrar calls has_entry too. Those who end, take back and move
-- people, end a mentor or erase somebody check the caller's rights to all certifications of a person, in an organisation or
-- anywhere, or of a chapter. namesakes shows administrators all of their organisation.
select is(
  (select string_agg(p.proname, ' ' order by p.proname) from pg_proc p
   where p.pronamespace = 'certvakt'::regnamespace and p.prosecdef and has_function_privilege('authenticated', p.oid, 'EXECUTE')
     and coalesce(p.prosrc, '') || coalesce(pg_get_function_sqlbody(p.oid), '') ~ '\mpeer_mentor_certifications\M'),
  'certification_details current_organisations end_person end_role has_entry may_end may_erase merge_people move_mentors namesakes return_person search_certifications',
  'other functions for people read certifications through the view');
select is((
  select string_agg(distinct r.rolname, ', ') from pg_proc p
  join pg_namespace n on n.oid = p.pronamespace join pg_roles r on r.oid = p.proowner
  where n.nspname = 'certvakt' and p.prosecdef and p.proname not in ('delete_old_notices', 'delete_old_access_events')),
  'certvakt_definer', 'definer functions belong to a role without login');
select is_empty($$
  select f.conrelid::regclass, f.conname from pg_constraint f
  where f.contype = 'f' and f.conrelid in (select oid from pg_temp.ours)
    and not exists (
      select from pg_index i where i.indrelid = f.conrelid and i.indpred is null
        and (i.indkey::int2[])[0:cardinality(f.conkey) - 1] @> f.conkey)
    -- Or an index whose first column alone identifies the referenced row.
    and not exists (
      select from unnest(f.conkey, f.confkey) as k(referring, referred)
      join pg_index i on i.indrelid = f.conrelid and i.indpred is null and i.indkey[0] = k.referring
      join pg_index u on u.indrelid = f.confrelid and u.indisunique and u.indnatts = 1 and u.indkey[0] = k.referred)$$,
  'every foreign key has an index');
select is_empty($$
  select a.indexrelid::regclass, b.indexrelid::regclass from pg_index a join pg_index b
    on a.indrelid = b.indrelid and a.indexrelid < b.indexrelid and a.indkey::text = b.indkey::text
    and coalesce(a.indpred::text, '') = coalesce(b.indpred::text, '')
  where a.indrelid in (select oid from pg_temp.ours)$$, 'no index is a duplicate');
select is_empty($$
  select p.oid::regprocedure::text from pg_proc p where p.pronamespace = 'certvakt'::regnamespace and p.prosrc ~* '\mauth\.'
  union all
  select c.conname from pg_constraint c join pg_class r on r.oid = c.confrelid join pg_namespace n on n.oid = r.relnamespace
  where n.nspname = 'auth' and c.conrelid in (select oid from pg_temp.ours)$$, 'nothing asks for what is Supabase''s own');

select * from finish();
rollback;
