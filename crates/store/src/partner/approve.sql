-- Approves the removals that are now waiting to be sent to partner $2, but no later ones.
update certvakt.listings l set approved_number = l.number, approved_by = certvakt.operator()
where l.organisation_id = $1 and l.partner = $2 and l.accepted_number < l.number and not l.is_listed
