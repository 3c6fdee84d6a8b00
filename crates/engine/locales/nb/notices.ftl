# Det en låst skjerm og en e-posts emne viser, røper ikke hva det gjelder.
title = Du har en påminnelse
body = Åpne appen for å se den.

# Bare når foreningen har slått det på.
title-named = { $organisation }: { $certification }

subject = Du har en påminnelse
subject-named = { $organisation }: { $certification }
greeting = Hei,
greeting-named = Hei { $name },
preheader = Du har en påminnelse. Åpne meldingen for å lese den.
valid-until = { $certification } hos { $organisation } gjelder til og med { $date }.
expired-on = { $certification } hos { $organisation } gjaldt til og med { $date }.
days-left = { $days ->
    [0] I dag er siste dag.
    [one] Det er én dag igjen.
   *[other] Det er { $days } dager igjen.
  }
days-past = { $days ->
    [one] Det var i går.
   *[other] Det er { $days } dager siden.
  }
# In an organisation's own text.
days = { $days ->
    [one] én dag
   *[other] { $days } dager
  }
action = Ta kontakt med koordinatoren din for å fornye.
footer = Denne meldingen er sendt automatisk og kan ikke besvares.
calendar = Påminnelse
calendar-named = Siste dag: { $certification } hos { $organisation }

date = { $day }. { $month } { $year }
month-1 = januar
month-2 = februar
month-3 = mars
month-4 = april
month-5 = mai
month-6 = juni
month-7 = juli
month-8 = august
month-9 = september
month-10 = oktober
month-11 = november
month-12 = desember
