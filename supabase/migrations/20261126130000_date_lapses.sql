-- Somebody who lapsed unnoticed and is suspended, or withdraws their consent, before anybody looks has been listed
-- wrongly since they lapsed: their event says so.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

-- The function is the definer's, and stays so.
set local role certvakt_definer;
create or replace function certvakt.keep_listing() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  moment timestamptz := certvakt.moment();
  is_new boolean := tg_op = 'INSERT';
  is_erased boolean;
  is_listed boolean;
begin
  if is_new then
    -- Whoever records or changes a certification of theirs at the same time has ended, or waits and then finds this row.
    select p.erased_at is not null into is_erased from certvakt.people p where p.id = new.person_id for update;
    if is_erased then
      raise exception 'the person was erased: nothing of theirs begins again'
        using errcode = 'restrict_violation', constraint = 'person_erased',
          hint = 'Whoever comes back is a new person, with an id of their own.';
    end if;
    perform from public.peer_mentor_certifications c where c.peer_mentor_id = new.person_id order by c.id for share;
    -- Whoever looks from an older snapshot and does not find it is told that the snapshot is too old.
    update certvakt.people p set id = p.id where p.id = new.person_id;
    new.valid_until := certvakt.certified_until(new.organisation_id, new.partner, new.person_id);
    new.is_listed := false;
    new.number := 0;
    new.told_number := 0;
  end if;
  -- Given at another time, it is given anew.
  if is_new and new.listing_consent_at is not null
    or not is_new and new.listing_consent_at is distinct from old.listing_consent_at then
    new.cause := case when new.person_id is null then new.cause
      when new.listing_consent_at is null then 'consent-withdrawn' else 'consent-given' end;
    -- Who consents anew wants to be listed anew.
    if new.listing_consent_at is not null then
      new.kept_off_at := null;
    end if;
    insert into certvakt.listing_consents (organisation_id, partner, person_id, is_given, at, actor)
    select new.organisation_id, new.partner, new.person_id, new.listing_consent_at is not null, moment, certvakt.current_person()
    where new.person_id is not null;
  elsif not is_new and (new.kept_off_at is null) <> (old.kept_off_at is null) then
    new.cause := case when new.kept_off_at is null then 'listed-again' else 'kept-off' end;
  elsif not is_new and new.person_id is null and old.person_id is not null and new.cause <> 'erased' then
    new.cause := 'deleted';
  end if;
  is_listed := new.person_id is not null and new.listing_consent_at is not null and new.kept_off_at is null
    and coalesce(new.valid_until > moment, false);
  -- The portal shows somebody of whom it was never told anything: that they are not to be listed is the first event.
  if new.is_listed <> is_listed or new.number = 0 and new.cause = 'found-listed' then
    new.is_listed := is_listed;
    new.number := new.number + 1;
    -- Whoever lapsed did so when their last valid day was over, whenever somebody looked, and whatever came after.
    new.turned_at := case when is_listed or new.cause = 'found-listed' then moment else least(old.valid_until, moment) end;
    new.available_at := now();
    new.attempts := 0;
    new.replays := 0;
    -- What the listing showed was of the state before.
    new.seen_listed := null;
    insert into certvakt.partner_events (organisation_id, partner, partner_key, number, status, cause, at)
    values (new.organisation_id, new.partner, new.partner_key, new.number,
      case when is_listed then 'listed' else 'delisted' end, new.cause, new.turned_at);
  end if;
  return new;
end
$$;
reset role;
