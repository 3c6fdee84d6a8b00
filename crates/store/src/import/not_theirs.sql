-- Rejects the rows that the person who sent the register ($1) may not import: changes of their own certification and,
-- if the import has limits ($2), rows of another chapter, or of a person who also belongs to one.
with refused as (
  delete from import_matches m
  using (
    select i.line, case
      when i.person_id = $1 and (
        i.certification_id is null or i.moved or i.expires_before is distinct from i.expires_at
        or i.issued_before is distinct from i.issued_at or i.status_before is distinct from i.status
        or i.suspended_until_before is distinct from i.suspended_until) then 'import-own-certification'
      when i.chapter_id <> all ($2) or not i.person_is_new and $2 is not null
        and not exists (select from import_manageable p where p.person_id = i.person_id) then 'import-other-chapter'
      end as code
    from import_matches i
  ) f
  where f.line = m.line and f.code is not null
  returning m.line, f.code
)
update import_rows r
set reject_code = f.code,
  reject_column = case f.code when 'import-own-certification' then 'row' else 'chapter' end,
  reject_reason = case f.code
    when 'import-own-certification' then 'your own certification: ask another coordinator or an administrator to import it'
    else 'a chapter that you do not manage: leave the row to its coordinator or an administrator' end
from refused f
where f.line = r.line
