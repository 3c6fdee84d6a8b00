-- The fields that the import $1 changed and that were changed again since. They stay as they are. $2 is its organisation.
-- So do the certifications of the person who requested the undo ($4): nobody renews themselves.
create temporary table undo_kept on commit drop as
select j.person_id, j.certification_id, f.field
from certvakt.import_changes j
left join public.peer_mentor_certifications c on c.id = j.certification_id
left join certvakt.person_names n on n.person_id = j.person_id and n.organisation_id = $2
-- Whether somebody has suspended or reinstated it since the end of the import ($3).
cross join lateral (
  select exists (
    select from certvakt.certification_changes k
    where k.organisation_id = $2 and k.certification_id = c.id and k.kind in ('suspended', 'reinstated')
      and k.changed_at > $3) as is_later
) decided
cross join lateral (
  -- The family name is a part of the name.
  select field, value as after from jsonb_each(j.after - 'family_name') e (field, value)
) f
where j.import_id = $1
  and case
    when j.person_id = $4 and f.field in ('chapter_id', 'issued_at', 'expires_at', 'status', 'suspended_until') then true
    -- Somebody has withdrawn it since.
    when f.field in ('chapter_id', 'issued_at', 'expires_at') and decided.is_later
      and certvakt.is_withdrawn(c.status, c.renewal_history) then true
    when f.field in ('status', 'suspended_until') and decided.is_later then true
    when f.field = 'chapter_id' then f.after <> to_jsonb(c.chapter_id)
      or not exists (select from certvakt.chapters h where h.id = (j.before ->> 'chapter_id')::uuid)
    when f.field = 'issued_at' then f.after <> coalesce(to_jsonb(c.issued_at at time zone 'UTC'), 'null')
    when f.field = 'expires_at' then f.after <> coalesce(to_jsonb(c.expires_at at time zone 'UTC'), 'null')
    -- A run sets the status of a lapsed certification, which is no decision.
    when f.field = 'status' then f.after <> to_jsonb(c.status) and not (c.status = 'expired' and f.after = '"active"')
    when f.field = 'suspended_until' then f.after <> coalesce(to_jsonb(c.suspended_until), 'null')
    when f.field = 'name' then f.after <> coalesce(to_jsonb(n.name), 'null')
      or j.after ->> 'family_name' is distinct from n.family_name
    when f.field = 'language' then f.after <> coalesce(to_jsonb(n.locale), 'null')
    when f.field = 'push_token' then false
    else (
      select array_agg(lower(a) order by lower(a)) from jsonb_array_elements_text(f.after) a
    ) is distinct from (
      select array_agg(lower(k.address) order by lower(k.address)) from certvakt.contact_points k
      where k.person_id = j.person_id and k.organisation_id = $2 and k.kind = f.field)
  end
  -- The suspension of a replaced or missing certification came after the merge of its row.
  and not (not j.is_suspension and f.field in ('status', 'suspended_until') and exists (
    select from certvakt.import_changes s
    where s.import_id = $1 and s.is_suspension and s.certification_id = j.certification_id))
