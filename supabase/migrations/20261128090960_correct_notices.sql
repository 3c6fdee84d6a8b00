-- The correction of a notice: a mentor who was notified of a change that is then undone gets an e-mail that takes the notice
-- back.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

create function certvakt.change_results_before_update() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  undone public.peer_mentor_certifications;
begin
  if new.undone_at is null or old.undone_at is not null then
    return new;
  end if;
  select * into undone from public.peer_mentor_certifications c where c.id = new.certification_id;
  -- A notice that waits is cancelled when its turn comes, because it is no longer true.
  if not exists (
    select from public.cert_notification_log l join certvakt.deliveries d on d.id = l.id
    where l.certification_id = undone.id and l.sent_at >= new.made_at and d.state in ('claimed', 'delivered')
      and d.expires_at is distinct from undone.expires_at) then
    return new;
  end if;
  insert into certvakt.mail_queue (kind, person_id, contact_point_id, valid_for)
  select 'notice-corrected', k.person_id, k.id, interval '14 days'
  from certvakt.contact_points k
  where k.person_id = undone.peer_mentor_id and k.kind = 'email'
    and (k.organisation_id is null or k.organisation_id = undone.organisation_id)
    and not exists (select from certvakt.channel_opt_outs o where o.person_id = k.person_id and o.kind = 'email');
  new.correction := case when found then 'mailed' else 'unreachable' end;
  return new;
end
$$;
comment on function certvakt.change_results_before_update is
  'Queues an e-mail to a mentor who was notified of a change that is now undone.';
create trigger before_update before update of undone_at on certvakt.change_results
  for each row execute function certvakt.change_results_before_update();
revoke all on function certvakt.change_results_before_update() from public, anon, authenticated, service_role;
alter function certvakt.change_results_before_update() owner to certvakt_definer;
