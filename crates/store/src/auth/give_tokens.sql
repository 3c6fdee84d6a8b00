with given as (
  select * from unnest($1::uuid[], $2::bytea[], $4::bytea[]) as given (id, token_hash, code_hash)
),
dead as (
  delete from certvakt.invitations i using certvakt.mail_queue l, given
  where l.id = given.id and i.token_hash = l.token_hash and i.used_at is null
),
claimed as (
  update certvakt.mail_queue l
  set token_hash = given.token_hash, code_hash = given.code_hash, expires_at = now() + l.valid_for, mail_due_at = now() + make_interval(secs => $3)
  from given where l.id = given.id
  returning l.kind, l.person_id, l.contact_point_id, l.token_hash, l.expires_at
)
insert into certvakt.invitations (person_id, token_hash, expires_at, address)
select l.person_id, l.token_hash, l.expires_at, k.address
from claimed l join certvakt.contact_points k on k.id = l.contact_point_id
where l.kind = 'invitation'
