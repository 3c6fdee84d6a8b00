-- Consent is the mentor's own: they see where they are listed, and say themselves whether they want to be.

set local lock_timeout = '5s';
set local statement_timeout = '60s';

create function certvakt.my_listings()
returns table (organisation_id uuid, organisation text, partner text, consents_since timestamptz, is_listed boolean)
language sql stable security definer set search_path = ''
begin atomic
  select l.organisation_id, o.name, l.partner, l.listing_consent_at, l.is_listed
  from certvakt.listings l join certvakt.organisations o on o.id = l.organisation_id
  where l.person_id = (select certvakt.current_person());
end;
comment on function certvakt.my_listings is
  'The partners that know who is asking, since when they consent to being listed there, and whether they are to be.';

create function certvakt.consent_to_listing(organisation uuid, partner text, is_given boolean) returns boolean
language plpgsql security definer set search_path = '' as $$
declare
  person uuid := certvakt.current_person();
  is_new boolean;
  proof text := certvakt.proof_of_person(organisation);
begin
  select l.listing_consent_at is null or l.kept_off_at is not null into is_new
  from certvakt.listings l
  where l.organisation_id = consent_to_listing.organisation and l.partner = consent_to_listing.partner
    and l.person_id = person
  for update;
  if not found then
    return false;
  end if;
  if is_given and is_new and proof is null then
    raise exception 'nothing shows yet that this sign-in is the mentor''s own'
      using errcode = 'insufficient_privilege', constraint = 'login_unproven',
        hint = 'Sign in with a provider, or have two administrators confirm the address.';
  end if;
  perform set_config('certvakt.proof', coalesce(proof, ''), true);
  update certvakt.listings l
  -- A mentor who was kept off consents anew.
  set listing_consent_at = case
    when not is_given then null
    when l.kept_off_at is not null then certvakt.moment()
    else coalesce(l.listing_consent_at, certvakt.moment()) end
  where l.organisation_id = consent_to_listing.organisation and l.partner = consent_to_listing.partner
    and l.person_id = person;
  return true;
end
$$;
comment on function certvakt.consent_to_listing is
  'Records that the caller consents to being listed, or withdraws consent; false: the partner does not know them. Consent needs a login that is shown to be theirs.';

do $$
declare
  asked text;
begin
  foreach asked in array array['my_listings()', 'consent_to_listing(uuid, text, boolean)'] loop
    execute format('revoke all on function certvakt.%s from public, anon, service_role', asked);
    execute format('grant execute on function certvakt.%s to authenticated', asked);
  end loop;
end
$$;
alter function certvakt.my_listings() owner to certvakt_definer;
alter function certvakt.consent_to_listing(uuid, text, boolean) owner to certvakt_definer;
