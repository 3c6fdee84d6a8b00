delete from public.peer_mentor_certifications c
using undo_added a
where c.id = a.id and not a.is_noticed and not a.is_changed
