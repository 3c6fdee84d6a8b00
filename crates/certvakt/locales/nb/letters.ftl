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

long-history-subject = Noe trenger at du ser på det
long-history = { $number ->
    [one] Én sertifisering i { $organisation } er blitt endret så mange ganger at historikken er uvanlig lang.
   *[other] { $number } sertifiseringer i { $organisation } er blitt endret så mange ganger at historikken er uvanlig lang.
}
long-history-ends = Som regel er det et program som endrer dem om og om igjen. Be den som drifter certvakt om å se på det: kommandoen «certvakt status», og avsnittet «A history has grown long» i driftshåndboken. Du får denne meldingen høyst én gang på tretti dager.

footer = Denne meldingen er sendt automatisk og kan ikke besvares.
