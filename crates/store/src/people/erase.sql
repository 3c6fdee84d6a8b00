-- Erases person $1, except for their id. Withdraws each certification that is no longer valid, with a history entry.
-- Each row of the result contains a place and the number of rows erased there.
with whose as materialized (
  select c.id, c.organisation_id, c.external_id, certvakt.is_withdrawn(c.status, c.renewal_history) as is_withdrawn
  from public.peer_mentor_certifications c where c.peer_mentor_id = $1
),
register_ids as (
  insert into certvakt.erased_register_ids (organisation_id, digest)
  select w.organisation_id, certvakt.register_id_digest(w.organisation_id, w.external_id)
  from whose w where w.external_id is not null
  union
  select i.organisation_id, certvakt.register_id_digest(i.organisation_id, i.external_id)
  from certvakt.register_ids i where i.person_id = $1
  on conflict do nothing
),
import_changes as (
  delete from certvakt.import_changes where person_id = $1 returning 1
),
own_register_ids as (
  delete from certvakt.register_ids where person_id = $1 returning 1
),
withdrawn as (
  update public.peer_mentor_certifications c set status = 'suspended', external_id = null
  from whose w where c.id = w.id and not w.is_withdrawn
  returning c.id
),
words as (
  delete from certvakt.renewal_remarks r using whose w where r.certification_id = w.id returning 1
),
contacts as (
  delete from certvakt.contacts k using whose w where k.certification_id = w.id returning 1
),
ends as (
  delete from certvakt.person_changes where person_id = $1 returning 1
),
-- Also somebody else's form about a certification of this person, which can have a note.
forms as (
  delete from certvakt.kept_forms f
  where f.person_id = $1 or exists (select from whose w where position(w.id::text in f.path || ' ' || f.fields) > 0)
),
results as (
  delete from certvakt.change_results where made_by = $1
),
ended as (
  update certvakt.deliveries d
  set state = 'cancelled', reason = 'person erased', finished_at = now(), available_at = null, lease_token = null,
    lease_until = null
  from public.cert_notification_log l
  where l.recipient_id = $1 and d.id = l.id and d.finished_at is null
  returning 1
),
sessions as (
  delete from certvakt.sessions s using certvakt.identities i
  where i.person_id = $1 and s.issuer = i.issuer and s.subject = i.subject
  returning 1
),
logins as (
  delete from certvakt.identities where person_id = $1 returning 1
),
mails as (
  delete from certvakt.mail_queue where person_id = $1 returning 1
),
mails_of_others as (
  update certvakt.mail_queue set requested_by = null where requested_by = $1 and person_id <> $1
),
invitations as (
  delete from certvakt.invitations where person_id = $1 returning 1
),
-- Includes requests of other people if the response mentions this person.
answers as (
  delete from certvakt.idempotency_keys k
  where k.person_id = $1 or position($1::text in k.answer::text) > 0
  returning 1
),
-- Registers of the person's organisations that are not imported yet can contain anything about them.
drafts as (
  delete from certvakt.uploads
  where state in ('draft', 'checking', 'checked') and organisation_id in (select w.organisation_id from whose w)
),
-- The results of the person's own uploads, and of those that list ids of the register.
registers as (
  update certvakt.uploads u
  set person_id = nullif(u.person_id, $1), rejected = null,
    result = u.result #- '{missing,first}' #- '{undo,notified}' #- '{undo,kept}'
  from (
    select o.id, o.person_id is not distinct from $1 as is_theirs from certvakt.uploads o
    where o.state not in ('draft', 'checking', 'checked')
      and (o.person_id = $1 or o.organisation_id in (select w.organisation_id from whose w))
  ) o
  where u.id = o.id
  returning o.is_theirs
),
imports as (
  update certvakt.imports i
  set person_id = nullif(i.person_id, $1), undo_requested_by = nullif(i.undo_requested_by, $1),
    undo = i.undo #- '{notified}' #- '{kept}'
  where i.person_id = $1 or i.undo_requested_by = $1
    or i.undo is not null and i.organisation_id in (select w.organisation_id from whose w)
),
mappings as (
  delete from certvakt.import_mappings where owner_id = $1
),
opt_outs as (
  delete from certvakt.channel_opt_outs where person_id = $1 returning 1
),
former_addresses as (
  delete from certvakt.former_addresses where person_id = $1 returning 1
),
addresses as (
  delete from certvakt.address_uses where person_id = $1 returning 1
),
confirmations as (
  delete from certvakt.address_confirmations where person_id = $1 returning 1
),
browsers as (
  delete from certvakt.known_browsers where person_id = $1 returning 1
),
digests as (
  delete from certvakt.digests where person_id = $1 returning 1
),
digest_settings as (
  delete from certvakt.digest_settings where person_id = $1 returning 1
),
names as (
  delete from certvakt.person_names where person_id = $1 returning 1
),
contact_points as (
  delete from certvakt.contact_points where person_id = $1 returning 1
),
memberships as (
  delete from certvakt.memberships where person_id = $1 returning 1
),
-- The portal's key of the person remains until the portal has removed them.
listings as (
  update certvakt.listings set cause = 'erased', person_id = null, listing_consent_at = null, excluded_at = null
  where person_id = $1
  returning 1
),
consents as (
  delete from certvakt.listing_consents where person_id = $1 returning 1
),
name as (
  update certvakt.people set name = null, family_name = null, locale = null, erased_at = now(), erased_by = certvakt.operator()
  where id = $1 returning 1
)
select place as "place!", rows as "rows!"
from (values
  (1, 'names and language', (select count(*) from name) + (select count(*) from names)),
  (18, 'values before an import', (select count(*) from import_changes)),
  (2, 'contact points', (select count(*) from contact_points)),
  (3, 'channels opted out of', (select count(*) from opt_outs)),
  (4, 'memberships', (select count(*) from memberships)),
  (5, 'logins', (select count(*) from logins)),
  (6, 'sessions', (select count(*) from sessions)),
  (7, 'invitations and e-mails', (select count(*) from invitations) + (select count(*) from mails)),
  (8, 'answers remembered', (select count(*) from answers)),
  (9, 'registers handed over', (select count(*) from registers where is_theirs)),
  (10, 'ids in registers', (select count(*) from whose where external_id is not null)
    + (select count(*) from own_register_ids)),
  (11, 'evidence and notes', (select count(*) from words)),
  (12, 'certifications withdrawn', (select count(*) from withdrawn)),
  (13, 'deliveries cancelled', (select count(*) from ended)),
  (14, 'listings at partners', (select count(*) from listings)),
  (15, 'consents to being listed', (select count(*) from consents)),
  (16, 'former and used addresses, and their confirmations', (select count(*) from former_addresses)
    + (select count(*) from addresses) + (select count(*) from confirmations)),
  (17, 'known browsers', (select count(*) from browsers)),
  (19, 'contacts with coordinators', (select count(*) from contacts)),
  (20, 'moves and ends in organisations', (select count(*) from ends)),
  (21, 'digests and their schedule', (select count(*) from digests) + (select count(*) from digest_settings))
) erased (number, place, rows)
order by number
