-- The values of known people that the merge changes, for an undo.
create temporary table import_before on commit drop as
select m.line, n.name, n.family_name, n.locale,
  array(select k.address from certvakt.contact_points k
    where k.person_id = m.person_id and k.organisation_id = $1 and k.kind = 'email' order by k.address) as emails,
  array(select k.address from certvakt.contact_points k
    where k.person_id = m.person_id and k.organisation_id = $1 and k.kind = 'phone' order by k.address) as phones
from import_matches m
left join certvakt.person_names n on n.person_id = m.person_id and n.organisation_id = $1
where not m.person_is_new
  and (m.name_differs or m.locale_differs or m.email_differs or m.phone_differs or m.push_token_differs)
