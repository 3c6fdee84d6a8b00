skip = Hopp til innholdet
menu = Hovedmeny
menu-today = I dag
menu-certifications = Sertifiseringer
menu-mine = Min side
role-mentor = likeperson
role-coordinator = koordinator
role-org_admin = administrator
refused-title = Feil: { $name }
next = Neste
next-page = Neste side
cancel = Avbryt

date = { $day }. { $month } { $year }
long-date = { $weekday } { $date }
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
weekday-1 = mandag
weekday-2 = tirsdag
weekday-3 = onsdag
weekday-4 = torsdag
weekday-5 = fredag
weekday-6 = lørdag
weekday-7 = søndag
today = i dag
tomorrow = i morgen
yesterday = i går
in-days = om { $number } dager
days-ago = for { $number } dager siden
never-expires = Utløper ikke

certifications-title = Sertifiseringer
certifications-filtered-title = Sertifiseringer: { $name }
certifications-found = Sertifiseringer som er funnet
certifications-none = Det er ingen sertifiseringer her ennå. De kommer når registeret er importert.
certifications-none-match = Ingen sertifiseringer passer. Fjern et filter for å se flere.
filter-text = Navn eller nummer
filter-chapter = Lokallag
filter-type = Type
filter-state = Status
filter-all = Alle
filter-show = Vis
filters-active = Valgte filtre
filter-remove = Fjern filteret
search-for = «{ $name }»
filter-valid = Gyldige
filter-due = Utløper snart
filter-expired = Nylig utløpt
filter-lapsed = Utløpt
filter-suspended = Midlertidig stanset
filter-withdrawn = Trukket tilbake
state-valid = Gyldig
state-due = Utløper snart
state-expired = Nylig utløpt
state-lapsed = Utløpt
state-suspended = Midlertidig stanset
state-withdrawn = Trukket tilbake
person-erased-name = Slettet person
person-unnamed = Uten navn

fact-chapter = Lokallag
fact-type = Type
fact-number = Nummer i registeret
fact-issued = Utstedt
fact-suspended-until = Stanset til og med
fact-valid-until = Gjelder til og med
fact-completed = Kurset ble fullført
fact-valid-before = Gjelder nå til og med
fact-valid-after = Gjelder etterpå til og med
fact-evidence = Dokumentasjon
fact-note = Merknad
evidence-hint = For eksempel nummeret på et kursbevis. Last ikke opp dokumenter her.
note-hint = Merknaden blir stående i historikken. Skriv ikke noe om helse.
own-certification = Dette er din egen sertifisering. En annen koordinator eller administrator må fornye den.
next-stage = Neste: { $stage } { $date }.
stage-warning = varsel { $number } dager før
stage-expired = melding om at den er utløpt

actions = Gjør noe
action-renew = Forny
action-correct = Rett datoen
action-suspend = Stans midlertidig
action-reinstate = Ta opp igjen
action-withdraw = Trekk tilbake
action-renew-title = Forny: { $name }
action-correct-title = Rett datoen: { $name }
action-suspend-title = Stans midlertidig: { $name }
action-reinstate-title = Ta opp igjen: { $name }
action-withdraw-title = Trekk tilbake: { $name }
action-renew-check = Stemmer dette? Fornyelsen er ikke lagret ennå
action-correct-check = Stemmer dette? Rettelsen er ikke lagret ennå
action-withdraw-check = Vil du trekke den tilbake? Den er ikke trukket ennå
action-renew-save = Forny
action-correct-save = Lagre datoen
action-withdraw-save = Trekk tilbake
action-renew-date = Når ble kurset fullført?
action-renew-date-hint = Dag, måned og år, for eksempel 24.12.2026
action-renew-early = Forny likevel, før typen egentlig tillater det
action-correct-date = Siste gyldige dag
action-correct-date-hint = Dag, måned og år, for eksempel 24.12.2028
action-suspend-date = Siste dag av stansen (kan stå tom)
action-suspend-date-hint = Dag, måned og år. Uten dato varer stansen til noen tar den opp igjen.
check-title = Kontroller før du lagrer
check-change = Endre
done-renewed = Fornyet: { $name }
done-corrected = Datoen er rettet: { $name }
done-suspended = Midlertidig stanset: { $name }
done-reinstated = Tatt opp igjen: { $name }
done-withdrawn = Trukket tilbake: { $name }

faults-title = Noe må rettes
fault-date-form = Skriv datoen som dag, måned og år, for eksempel 24.12.2026.
fault-date-missing = Skriv en dato.
fault-changed = Noen andre har endret sertifiseringen mens du holdt på. Se hva som gjelder nå, og prøv igjen.
fault-completed-later = Kurset kan ikke være fullført etter i dag.
fault-completed-early = { $name } er for lenge siden.
fault-already-lapsed = Etter regelen for typen ville den ha utløpt { $name }. Skriv en senere dag.
fault-unchanged = Den gjelder allerede til den dagen. Skriv en annen dag.
fault-suspension-end = Siste dag av stansen må være i dag eller senere, og høyst { $number } år frem.
fault-before-issue = Siste gyldige dag kan ikke være før den ble utstedt, { $name }.
fault-out-of-range = Datoen er for lenge siden, eller mer enn { $number } år frem.
fault-early = Den kan fornyes fra { $name }. Kryss av for å fornye den nå.
fault-no-rule = Typen har ingen fast gyldighet. Skriv siste gyldige dag.
fault-lapsed = Den er utløpt. Forny den i stedet.
fault-withdrawn = Den er trukket tilbake. Ta den opp igjen først, hvis det var feil.
fault-erased = Personen er slettet.
fault-words = Teksten er for lang, eller har tegn som ikke kan vises.

timeline = Historikk
timeline-empty = Ingenting har skjedd ennå.
event-renewed = Fornyet: gjaldt til og med { $before }, gjelder til og med { $after }.
event-corrected = Datoen ble rettet fra { $before } til { $after }.
event-suspended = Midlertidig stanset.
event-reinstated = Tatt opp igjen.
event-withdrawn = Trukket tilbake.
event-undone = Angret: gjelder til og med { $after } igjen.
event-by = Av { $name }
event-source-command = Fra kommandolinjen
event-source-portal = Meldt av en partner
event-completed = Kurset ble fullført { $name }
event-evidence = Dokumentasjon: { $name }
event-note = Merknad: { $name }
event-erased = Merknaden er slettet
event-notice = Melding: { $name }
delivery-pending = Venter på å bli sendt
delivery-claimed = Sendes nå
delivery-delivered = Sendt
delivery-unreachable = Kunne ikke sendes: ingen virkende adresse
delivery-cancelled = Avlyst

today-title = { $number ->
    [one] Én trenger deg
   *[other] { $number } trenger deg
}
today-recorded-title = { $number ->
    [0] Kontakten er lagret. Ingen andre trenger deg nå
    [one] Kontakten er lagret. Én trenger deg
   *[other] Kontakten er lagret. { $number } trenger deg
}
today-nothing-title = Ingen trenger deg nå
today-nothing = Her vises de som er utløpt, de som ikke kan nås, og de som utløper den neste måneden.
today-expired = Utløpt ({ $number })
today-unreachable = Kan ikke nås ({ $number })
today-week = De neste sju dagene ({ $number })
today-month = Den neste måneden ({ $number })
today-more = Det er flere enn det som vises her. Se hele listen.
today-chapters = Lokallag
today-all-chapters = Alle lokallag
today-held = Kjøringen { $name } venter på godkjenning, fordi den ville sendt uvanlig mange meldinger.
action-contact = Noter kontakt
action-contact-title = Noter kontakt: { $name }
contact-outcome = Hva skjedde?
contact-reached = Vi har snakket sammen
contact-no_answer = Fikk ikke svar
contact-letter_sent = Brev er sendt
contact-booked = Påmeldt kurs
contact-stops = Vil ikke fortsette
contact-reached-on = Dere snakket sammen { $name }
contact-no_answer-on = Svarte ikke { $name }
contact-letter_sent-on = Brev ble sendt { $name }
contact-booked-on = Påmeldt kurs { $name }
contact-stops-on = Ville ikke fortsette { $name }
contact-next = Når bør noen ta kontakt igjen?
contact-next-hint = Dag, måned og år. Til da vises personen ikke i listen over dem som trenger deg.
contact-until = Neste kontakt { $name }
fault-outcome = Velg hva som skjedde.
fault-next-past = Datoen må være senere enn i dag.
address-email = E-post
address-phone = Telefon

mine-title = Min side
mine-certifications = Mine sertifiseringer
mine-none = Du har ingen sertifiseringer her.

menu-runs = Kjøringer
update-status = Oppdater status
runs-title = Kjøringer
runs-held-title = { $number ->
    [one] Én kjøring venter på godkjenning
   *[other] { $number } kjøringer venter på godkjenning
}
runs-approved-title = Godkjent og kjørt
runs-running-title = Godkjent. Kjøringen er ikke ferdig ennå
runs-running = Kjøringen er godkjent og starter straks. Du kan gå fra siden; resultatet vises her.
runs-held = Kjøringen { $date } ville sendt { $number } meldinger
runs-held-why = Det er flere enn grensen. Ingenting er sendt. Kommer tallet av en feil i registeret, er det bedre å rette den først.
runs-of-stage = { $stage }: { $number }
runs-examples = For eksempel til
runs-approve-hint = Godkjenner du, blir meldingene sendt.
runs-approve = Godkjenn kjøringen
runs-ask = En administrator må godkjenne den.
runs-nights = Netter
runs-none = Ingen netter ennå.
runs-notices = { $number ->
    [one] Én melding
   *[other] { $number } meldinger
}
run-complete = Fullført
run-held = Venter på godkjenning
run-missed = Tatt igjen senere
run-failed = Feilet

certifications-file = Last ned listen som fil (CSV)
fact-name = Navn
