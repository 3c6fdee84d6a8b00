sign-in-title = Logg inn
address = E-postadresse
send-link = Send meg en lenke

signed-in-title = Du er logget inn
signed-in-as = Du er logget inn som { $name }.
sign-in-again = Du er logget inn som { $name }. Logg inn på nytt for å gjøre endringer.
signed-in-nobody = Innloggingen hører ikke til noen her ennå. Åpne invitasjonen du har fått på e-post.
sign-out = Logg ut
sessions = Her er du logget inn
session-current = Siden { $since }: { $browser } (denne nettleseren)
session = Siden { $since }: { $browser }
browser-unnamed = en nettleser som ikke oppgir navnet sitt
end-session = Logg ut i { $browser }

alarms = Dette bør du se på
today-alarms = Dette bør du se på ({ $number })
alarms-known = Til orientering
on-this-page = På denne siden
partner-still-listed = { $number ->
    [one] Én likeperson står på listen hos { $partner } uten å skulle det ({ $organisation }).
   *[other] { $number } likepersoner står på listen hos { $partner } uten å skulle det ({ $organisation }).
}
partner-removal-late = { $number ->
    [one] Én likeperson har ventet i mer enn et døgn på å bli tatt av listen hos { $partner } ({ $organisation }).
   *[other] { $number } likepersoner venter på å bli tatt av listen hos { $partner }, én av dem i mer enn et døgn ({ $organisation }).
}
partner-stopped = { $partner } får ikke lenger vite hvilke likepersoner som kan kontaktes ({ $organisation }).
partner-removals-held = { $number ->
    [one] Én likeperson skal av listen hos { $partner }, som er flere enn det som kan tas av uten at noen ser etter ({ $organisation }).
   *[other] { $number } likepersoner skal av listen hos { $partner }, som er flere enn det som kan tas av uten at noen ser etter ({ $organisation }).
}
partner-listing-unread = Listen hos { $partner } kan ikke leses, så ingen vet hvem den viser ({ $organisation }).
partner-listing-not-compared = Listen hos { $partner } er ikke sammenlignet på seks timer ({ $organisation }).
partner-missing = { $number ->
    [one] Én likeperson som kan kontaktes, mangler på listen hos { $partner } ({ $organisation }).
   *[other] { $number } likepersoner som kan kontaktes, mangler på listen hos { $partner } ({ $organisation }).
}
partner-removed-by-hand = { $number ->
    [one] Noen har tatt en likeperson av listen hos { $partner } for hånd: Skal det være slik? ({ $organisation })
   *[other] Noen har tatt { $number } likepersoner av listen hos { $partner } for hånd: Skal det være slik? ({ $organisation })
}
partner-unknown = { $number ->
    [one] Listen hos { $partner } viser én person som ingen her kjenner ({ $organisation }).
   *[other] Listen hos { $partner } viser { $number } personer som ingen her kjenner ({ $organisation }).
}
partner-reports-unread = Fullførte kurs som { $partner } melder om, kan ikke leses ({ $organisation }).
partner-reports-waiting = { $number ->
    [one] { $partner } har meldt om et fullført kurs som ikke stemmer med det som står her ({ $organisation }).
   *[other] { $partner } har meldt om { $number } fullførte kurs som ikke stemmer med det som står her ({ $organisation }).
}
partner-reports-waiting-more = { $partner } har meldt om flere enn { $number } fullførte kurs som ikke stemmer med det som står her ({ $organisation }).
partner-credential-expires = { $number ->
    [0] Det vi logger inn med hos { $partner }, gjelder ikke lenger enn i dag, eller har utløpt ({ $organisation }).
    [one] Det vi logger inn med hos { $partner }, gjelder i én dag til ({ $organisation }).
   *[other] Det vi logger inn med hos { $partner }, gjelder i { $number } dager til ({ $organisation }).
}

link-sent-title = Se i e-posten din
link-sent = Er adressen kjent her, er en e-post på vei dit. Åpne lenken i den, eller skriv koden her. Begge virker én gang, i 15 minutter.
code = Koden i e-posten
code-button = Logg inn
code-wrong-title = Feil: Koden er ikke gyldig
code-wrong = Se etter at det er koden i den nyeste e-posten, og at du ba om den i denne nettleseren for mindre enn 15 minutter siden. Etter fem gale koder trenger du en ny e-post.
code-again = Be om en ny e-post
link-title = Logg inn
link = Trykk på knappen for å logge inn.
link-open = Logg inn

invitation-title = Du er invitert
invitation = Ta imot invitasjonen, så er du den som er invitert når du logger inn slik.
invitation-sign-in-first = Logg inn først, og ta så imot invitasjonen.
invitation-accept = Ta imot invitasjonen
invitation-sign-in = Logg inn

trouble-title = Noe gikk galt
trouble-ours = Noe gikk galt hos oss. Prøv igjen om et minutt.
back = Til forsiden

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
too-many-at-once = Det er for mange forespørsler på én gang. Vent noen sekunder, og prøv igjen.
busy = Det er for mye å gjøre akkurat nå. Vent noen sekunder, og prøv igjen.
too-many-requests = Det kom for mange forespørsler. Vent et minutt, og prøv igjen.
token-missing = Du er ikke logget inn, eller ikke lenger. Logg inn, og prøv igjen.
not-found = Her er det ingenting. Adressen kan være skrevet feil, eller denne innloggingen er slått av.
not-permitted = Du kan se dette, men ikke endre det. Spør en koordinator i lokallaget.
login-unknown = Innloggingen hører ikke til noen her ennå. Åpne invitasjonen du har fått på e-post.
access-closed = Tilgangen er stengt for tiden. Spør foreningen din når den åpner igjen.

demo-title = Hvem vil du være?
demo = Dette er en demo med oppdiktede personer. Velg hvem du vil logge inn som.
demo-coordinator = Logg inn som { $name }, koordinator for Oslo og Østlandet
demo-administrator = Logg inn som { $name }, administrator
demo-mentor = Logg inn som { $name }, likeperson
demo-outsider = Logg inn som { $name }, koordinator i en annen forening
not-found-title = Fant ikke siden
not-permitted-title = Du kan ikke endre dette

unsubscribe-title = Vil du slutte å få oversikten?
unsubscribe = Da får du ikke flere e-poster om hvem som trenger deg. Du ser det fortsatt på siden «I dag».
unsubscribe-button = Slutt å få oversikten
unsubscribed-title = Du får ikke oversikten lenger
unsubscribed = Ombestemmer du deg, kan du slå den på igjen på siden din.
sign-in-form-kept-title = Du er logget ut. Det du skrev, er tatt vare på
sign-in-form-kept = Det er ikke lagret ennå. Logg inn, og fullfør skjemaet.
sign-in-form-lost-title = Du er logget ut. Det du skrev, er ikke lagret
sign-in-form-lost = Logg inn, og fyll ut skjemaet på nytt.
