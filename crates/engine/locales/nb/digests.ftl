# En låst skjerm viser emnet og de første linjene. De nevner derfor ikke likepersoner.
subject = Oversikten din
preheader = Åpne meldingen for å lese den.
greeting = Hei,
greeting-named = Hei { $name },

about = { $number ->
    [0] Ingen trenger deg akkurat nå. Her er det som kommer.
    [one] Én likeperson trenger deg nå.
   *[other] { $number } likepersoner trenger deg nå.
}
about-alarms = Ingen likeperson trenger deg akkurat nå, men dette må følges opp.
held = Varslene for { $date } venter på at en administrator godkjenner dem
partner-reports-waiting = { $number ->
    [one] { $partner } har meldt om et fullført kurs som ikke stemmer med det som står her
   *[other] { $partner } har meldt om { $number } fullførte kurs som ikke stemmer med det som står her
}
partner-reports-waiting-more = { $partner } har meldt om flere enn { $number } fullførte kurs som ikke stemmer med det som står her
partner-stopped = { $partner } får ikke lenger vite hvilke likepersoner som kan kontaktes. Administratorene følger det opp

expired-count = { $number } nylig utløpt
unreachable-count = { $number } kan ikke nås
week-count = { $number } utløper innen sju dager
month-count = { $number } utløper om 8 til 30 dager

expired = Utløpt: gjaldt til og med { $date }
unreachable = Kan ikke nås: gjelder til og med { $date }
week = Gjelder til og med { $date }
month = Gjelder til og med { $date }
named = { $who }. { $what }

more = { $number ->
    [one] Se én likeperson til
   *[other] Se { $number } likepersoner til
}
footer = Du får denne oversikten fordi du følger opp likepersoner. Meldingen er sendt automatisk og kan ikke besvares.
schedule = Velg hvor ofte du får den
unsubscribe = Slutt å få den
