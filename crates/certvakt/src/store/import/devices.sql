-- A device on which another person signed in is that person's now; in one file the last row counts.
insert into certvakt.contact_points as k (person_id, kind, address)
select distinct on (push_token) person_id, 'push', push_token
from import_matches
where push_token_differs
order by push_token, line desc
on conflict (address) where kind = 'push' do update set person_id = excluded.person_id, created_at = now()
