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

footer = Denne meldingen er sendt automatisk og kan ikke besvares.
