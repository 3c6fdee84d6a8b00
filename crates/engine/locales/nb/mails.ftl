# Det en låst skjerm viser, er emnet og de første linjene: de røper ikke hva det gjelder.
greeting = Hei,
greeting-named = Hei { $name },

link-subject = Lenken din for å logge inn
link = Åpne lenken for å logge inn:
link-button = Logg inn
link-code = Eller skriv koden { $code } på siden der du ba om denne e-posten.
link-ends = Lenken og koden virker én gang, i 15 minutter. Har du ikke bedt om dem, kan du se bort fra meldingen. Ikke gi koden til noen.

invitation-subject = Du er invitert til å logge inn
invitation = Koordinatoren din inviterer deg til å logge inn. Åpne lenken for å ta imot:
invitation-button = Ta imot invitasjonen
invitation-ends = Lenken virker én gang, i 14 dager. Gi den ikke til noen andre: den som bruker den, logger inn som deg.

address-removed-subject = En adresse er fjernet
address-removed = Foreningen din bruker ikke lenger denne e-postadressen for deg.
address-removed-ends = Kjenner du til det, trenger du ikke å gjøre noe. Hvis ikke, ring koordinatoren din: den som leser adressen som brukes nå, kan logge inn som deg.

address-added-subject = En adresse er lagt til
address-added = En annen e-postadresse er registrert på deg.
address-added-ends = Kjenner du til det, trenger du ikke å gjøre noe. Hvis ikke, ring koordinatoren din: den som leser den adressen, kan logge inn som deg.

address-confirmed-subject = En annen adresse er bekreftet som din
address-confirmed = En administrator i foreningen din har bekreftet at en annen e-postadresse er din. Når to administratorer har gjort det og to uker er gått, kan den som logger inn med den adressen, samtykke i ditt navn til å stå oppført som kontaktperson.
address-confirmed-ends = Er adressen din, trenger du ikke å gjøre noe. Hvis ikke, ring foreningen din nå: enhver administrator kan trekke bekreftelsen tilbake.

new-login-subject = Ny innlogging
new-login = Noen har logget inn som deg i en nettleser vi ikke kjenner, eller med en ny innlogging.
new-login-ends = Var det deg, trenger du ikke å gjøre noe. Hvis ikke, ring koordinatoren din. Kan du logge inn, kan du også avslutte den økten selv.

notice-corrected-subject = Rettelse av en melding
notice-corrected = Vi sendte deg nylig et varsel. Det bygget på en feil hos oss, og feilen er nå rettet. Du kan se bort fra varselet.
notice-corrected-ends = Logg inn for å se hva som gjelder for deg nå, eller spør koordinatoren din.

consent-given-subject = Noe er registrert på dine vegne
consent-given = { $way ->
    [paper] { $who } har registrert at du samtykket på papir { $day }.
    [in_person] { $who } har registrert at du samtykket i et møte { $day }.
    [phone] { $who } har registrert at du samtykket på telefon { $day }.
   *[other] { $who } har registrert at du samtykker.
} Samtykket gjelder listen over likepersoner for { $organisation } hos { $partner }, som alle kan se.
consent-given-ends = Du kan trekke samtykket tilbake når som helst: logg inn og velg «Lister hos partnere», eller si fra til koordinatoren din. Har du ikke samtykket, trekk det tilbake nå.

consent-withdrawn-subject = Noe er registrert på dine vegne
consent-withdrawn = { $who } har registrert at du ikke lenger samtykker til å stå på listen over likepersoner for { $organisation } hos { $partner }. Du blir tatt av listen.
consent-withdrawn-ends = Stemmer det, trenger du ikke å gjøre noe. Hvis ikke, logg inn og velg «Lister hos partnere» for å samtykke på nytt, eller si fra til koordinatoren din.

alert-subject = Noe trenger at du ser på det

long-history = { $number ->
    [one] Én sertifisering i { $organisation } er blitt endret så mange ganger at historikken er uvanlig lang.
   *[other] { $number } sertifiseringer i { $organisation } er blitt endret så mange ganger at historikken er uvanlig lang.
}
long-history-ends = Som regel er det et program som endrer dem om og om igjen. Be den som drifter certvakt om å se på det: kommandoen «certvakt status», og avsnittet «A history is long» i driftshåndboken. Du får denne meldingen høyst én gang på tretti dager.

# Etter problemets art, se docs/partners.md.
partner-still-listed = { $number ->
    [one] Listen til en partner viser én likeperson i { $organisation } som ikke skal stå der.
   *[other] Listen til en partner viser { $number } likepersoner i { $organisation } som ikke skal stå der.
}
partner-still-listed-ends = Noen kan ta kontakt med en som har mistet sertifiseringen. certvakt har bedt om fjerning én gang til. Be partneren om å fjerne dem hvis de fortsatt står der i morgen.

partner-removal-late = { $number ->
    [one] Én likeperson i { $organisation } har ventet i mer enn et døgn på å bli tatt av listen til en partner.
   *[other] { $number } likepersoner i { $organisation } venter på å bli tatt av listen til en partner, minst én av dem i mer enn et døgn.
}
partner-removal-late-ends = Be den som drifter certvakt om å se på det i dag: Kommandoen «certvakt partner status» viser hva som holder det igjen. Tar det lengre tid, be partneren om å fjerne dem.

partner-stopped = { $number ->
    [one] Portalen til en partner får ikke lenger vite hvilke likepersoner i { $organisation } som kan kontaktes. Én endring venter.
   *[other] Portalen til en partner får ikke lenger vite hvilke likepersoner i { $organisation } som kan kontaktes. { $number } endringer venter.
}
partner-stopped-ends = Den som har mistet sertifiseringen i mellomtiden, kan fortsatt stå oppført der. Be den som drifter certvakt om å se på det i dag: kommandoen «certvakt partner status» sier hvorfor, og avsnittet «Sending to a partner has stopped» i driftshåndboken hva som skal gjøres. Ingenting er gått tapt.

partner-removals-held = { $number ->
    [one] Én likeperson i { $organisation } skal tas av listen til en partner, og det er flere enn som kan gå uten at noen blir spurt.
   *[other] { $number } likepersoner i { $organisation } skal tas av listen til en partner, og det er flere enn som kan gå uten at noen blir spurt.
}
partner-removals-held-ends = De venter til noen har sett etter om det er riktig. Be den som drifter certvakt: kommandoen «certvakt partner status», og avsnittet «Removals are held» i driftshåndboken.

partner-listing-unread = Listen som en partner viser over likepersoner i { $organisation }, kan ikke leses.
partner-listing-unread-ends = Så lenge den ikke kan leses, vet ikke certvakt om den viser noen som har mistet sertifiseringen. Be den som drifter certvakt om å se på det: Kommandoen «certvakt partner status» viser årsaken.

partner-listing-not-compared = Listen som en partner viser over likepersoner i { $organisation }, er ikke sammenlignet på seks timer.
partner-listing-not-compared-ends = Så lenge den ikke sammenlignes, vet ikke certvakt om den viser noen som har mistet sertifiseringen. Be den som drifter certvakt om å se etter at certvakt kjører: «certvakt partner status» viser når listen sist ble sammenlignet.

partner-missing = { $number ->
    [one] Én likeperson i { $organisation } som kan kontaktes, mangler på listen til en partner.
   *[other] { $number } likepersoner i { $organisation } som kan kontaktes, mangler på listen til en partner.
}
partner-missing-ends = certvakt har sendt dem på nytt. Spør partneren om årsaken hvis de fortsatt mangler i morgen.

partner-removed-by-hand = { $number ->
    [one] Noen har tatt en likeperson i { $organisation } av listen til en partner for hånd.
   *[other] Noen har tatt { $number } likepersoner i { $organisation } av listen til en partner for hånd.
}
partner-removed-by-hand-ends = certvakt setter dem ikke på listen igjen før noen har bestemt det. Spør partneren om det var meningen, og be den som drifter certvakt om å registrere avgjørelsen med kommandoen «certvakt partner resolve-removal».

partner-unknown = { $number ->
    [one] Listen til en partner viser én person som { $organisation } ikke kjenner.
   *[other] Listen til en partner viser { $number } personer som { $organisation } ikke kjenner.
}
partner-unknown-ends = certvakt vet ikke om de er sertifisert, og fjerner dem ikke. Spør partneren hvem de er. Er de likepersoner hos dere, må de meldes på med kommandoen «certvakt partner enrol».

partner-reports-unread = Fullførte kurs som en partner melder om til { $organisation }, kan ikke leses.
partner-reports-unread-ends = Den som har fullført et kurs, blir ikke fornyet av det før meldingene kan leses. Be den som drifter certvakt om å se på det: Kommandoen «certvakt partner status» viser årsaken.

partner-reports-waiting = { $number ->
    [one] En partner har meldt om et fullført kurs som ikke stemmer med det som står hos { $organisation }.
   *[other] En partner har meldt om { $number } fullførte kurs som ikke stemmer med det som står hos { $organisation }.
}
partner-reports-waiting-ends = Ingen blir fornyet av dem før noen har bestemt det. Be den som drifter certvakt om å vise dem til deg: avsnittet «A portal reports contradicting courses» i driftshåndboken.

partner-credential-expires = { $number ->
    [0] Det { $organisation } logger inn med hos en partner, gjelder ikke lenger enn i dag, eller har utløpt.
    [one] Det { $organisation } logger inn med hos en partner, gjelder i én dag til.
   *[other] Det { $organisation } logger inn med hos en partner, gjelder i { $number } dager til.
}
partner-credential-expires-ends = Etterpå kan ikke portalen få vite hvem som har mistet sertifiseringen. Be partneren om en ny nøkkel, og den som drifter certvakt om å legge den der den gamle ligger: avsnittet «A secret expires» i driftshåndboken.

footer = Denne meldingen er sendt automatisk og kan ikke besvares.
