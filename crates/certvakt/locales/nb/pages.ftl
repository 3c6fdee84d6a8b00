sign-in-title = Logg inn
sign-in-provider = Logg inn
address = E-postadresse
send-link = Send meg en lenke

signed-in-title = Du er logget inn
signed-in-as = Du er logget inn som { $name }.
signed-in-nobody = Innloggingen hører ikke til noen her ennå. Åpne invitasjonen du har fått på e-post.
sign-out = Logg ut

link-sent-title = Se i e-posten din
link-sent = Er adressen kjent her, er en lenke på vei dit. Den virker én gang, i 15 minutter.
link-title = Logg inn
link = Trykk på knappen for å logge inn.
link-open = Logg inn

invitation-title = Du er invitert
invitation = Ta imot invitasjonen, så er du den som er invitert når du logger inn slik.
invitation-sign-in-first = Logg inn først, og ta så imot invitasjonen.
invitation-accept = Ta imot invitasjonen
invitation-sign-in = Logg inn

trouble-title = Det gikk ikke
trouble-ours = Noe gikk galt hos oss. Prøv igjen om et minutt.
back = Til innloggingen

# Etter koden, se docs/errors.md.
sign-in-expired = Innloggingen ble påbegynt for lenge siden, eller i en annen nettleser. Begynn på nytt.
sign-in-denied = Du ble ikke logget inn, fordi det ble avbrutt eller avslått. Begynn på nytt, eller spør der du logger inn.
sign-in-failed = Innloggingen kunne ikke fullføres. Begynn på nytt.
provider-unavailable = Tjenesten som logger deg inn, svarer ikke. Prøv igjen om et minutt.
link-invalid = Lenken er ukjent, brukt eller utløpt. Be om en ny.
invitation-invalid = Invitasjonen er ukjent, brukt eller utløpt. Be om en ny.
login-taken = Innloggingen hører allerede til noen. Logg ut, og logg inn som en annen.
request-forged = Forespørselen kom ikke fra en av sidene våre. Åpne siden på nytt, og prøv der.
request-invalid = Noe i forespørselen har feil form. Gå tilbake og prøv igjen.
too-many-requests = Det kom for mange forespørsler. Vent et minutt, og prøv igjen.
token-missing = Du er ikke logget inn, eller ikke lenger. Logg inn, og prøv igjen.
not-found = Her er det ingenting. Adressen kan være skrevet feil, eller denne innloggingen er slått av.
