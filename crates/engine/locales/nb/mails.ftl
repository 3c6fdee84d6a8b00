# Det en låst skjerm viser, er emnet og de første linjene: de røper ikke hva det gjelder.
greeting = Hei,
greeting-named = Hei { $name },

link-subject = Lenken din for å logge inn
link = Åpne lenken for å logge inn:
link-button = Logg inn
link-ends = Lenken virker én gang, i 15 minutter. Har du ikke bedt om den, kan du se bort fra meldingen.

invitation-subject = Du er invitert til å logge inn
invitation = Koordinatoren din inviterer deg til å logge inn. Åpne lenken for å ta imot:
invitation-button = Ta imot invitasjonen
invitation-ends = Lenken virker én gang, i 14 dager. Gi den ikke til noen andre: den som bruker den, logger inn som deg.

address-removed-subject = En adresse er fjernet
address-removed = Organisasjonen din bruker ikke lenger denne e-postadressen for deg.
address-removed-ends = Kjenner du til det, trenger du ikke å gjøre noe. Hvis ikke, ring koordinatoren din: den som leser adressen som brukes nå, kan logge inn som deg.

address-added-subject = En adresse er lagt til
address-added = En annen e-postadresse er registrert på deg.
address-added-ends = Kjenner du til det, trenger du ikke å gjøre noe. Hvis ikke, ring koordinatoren din: den som leser den adressen, kan logge inn som deg.

address-confirmed-subject = En annen adresse er bekreftet som din
address-confirmed = En administrator i organisasjonen din har bekreftet at en annen e-postadresse er din. Når to administratorer har gjort det og to uker er gått, kan den som logger inn med den adressen, samtykke i ditt navn til å stå oppført som kontaktperson.
address-confirmed-ends = Er adressen din, trenger du ikke å gjøre noe. Hvis ikke, ring organisasjonen din nå: enhver administrator kan trekke bekreftelsen tilbake.

new-login-subject = Ny innlogging
new-login = Noen har logget inn som deg i en nettleser vi ikke kjenner, eller med en ny innlogging.
new-login-ends = Var det deg, trenger du ikke å gjøre noe. Hvis ikke, ring koordinatoren din. Kan du logge inn, kan du også avslutte den økten selv.

long-history-subject = Noe trenger at du ser på det
long-history = { $number ->
    [one] Én sertifisering i { $organisation } er blitt endret så mange ganger at historikken er uvanlig lang.
   *[other] { $number } sertifiseringer i { $organisation } er blitt endret så mange ganger at historikken er uvanlig lang.
}
long-history-ends = Som regel er det et program som endrer dem om og om igjen. Be den som drifter certvakt om å se på det: kommandoen «certvakt status», og avsnittet «A history is long» i driftshåndboken. Du får denne meldingen høyst én gang på tretti dager.

partner-stopped-subject = Noe trenger at du ser på det
partner-stopped = { $number ->
    [one] Portalen til en partner får ikke lenger vite hvilke likepersoner i { $organisation } som kan kontaktes. Én endring venter.
   *[other] Portalen til en partner får ikke lenger vite hvilke likepersoner i { $organisation } som kan kontaktes. { $number } endringer venter.
}
partner-stopped-ends = Den som har mistet sertifiseringen i mellomtiden, kan fortsatt stå oppført der. Be den som drifter certvakt om å se på det i dag: kommandoen «certvakt partner status» sier hvorfor, og avsnittet «Sending to a partner has stopped» i driftshåndboken hva som skal gjøres. Ingenting er gått tapt.

removals-held-subject = Noe trenger at du ser på det
removals-held = { $number ->
    [one] Én likeperson i { $organisation } skal tas av listen til en partner, og det er flere enn som kan gå uten at noen blir spurt.
   *[other] { $number } likepersoner i { $organisation } skal tas av listen til en partner, og det er flere enn som kan gå uten at noen blir spurt.
}
removals-held-ends = De venter til noen har sett etter om det er riktig. Be den som drifter certvakt: kommandoen «certvakt partner status», og avsnittet «Removals are held» i driftshåndboken.

secret-ends-subject = Noe trenger at du ser på det
secret-ends = { $number ->
    [0] Det { $organisation } logger inn med hos en partner, gjelder ikke lenger enn i dag, eller har utløpt.
    [one] Det { $organisation } logger inn med hos en partner, gjelder i én dag til.
   *[other] Det { $organisation } logger inn med hos en partner, gjelder i { $number } dager til.
}
secret-ends-ends = Etterpå kan ikke portalen få vite hvem som har mistet sertifiseringen. Be partneren om en ny nøkkel, og den som drifter certvakt om å legge den der den gamle ligger: avsnittet «A secret expires» i driftshåndboken.

footer = Denne meldingen er sendt automatisk og kan ikke besvares.
