skip = Hopp til innholdet
menu = Hovedmeny
menu-today = I dag
menu-certifications = Sertifiseringer
menu-mine = Min side
role-mentor = likeperson
role-coordinator = koordinator
role-org_admin = administrator
refused-title = Feil: { $name }
next = Neste: kontroller
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
certifications-found = { $number ->
    [0] Ingen treff
    [one] Viser én sertifisering
   *[other] Viser { $number } sertifiseringer
}
certifications-none = Det er ingen sertifiseringer her ennå. De kommer når registeret er importert.
certifications-none-match = Ingen sertifiseringer passer. Fjern et filter for å se flere.
filter-text = Navn eller nummer i registeret
filter-chapter = Lokallag
filter-type = Type
filter-state = Status
filter-all = Alle
filter-show = Vis sertifiseringer
filters-active = Valgte filtre
filter-remove = Fjern filteret
search-for = «{ $name }»
filter-valid = Alle gyldige
filter-due = Utløper snart
filter-expired = Nylig utløpte
filter-lapsed = Alle utløpte
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
fact-valid-until = Siste gyldige dag
fact-completed = Kurset ble fullført
fact-valid-before = Siste gyldige dag nå
fact-valid-after = Siste gyldige dag etter endringen
fact-evidence = Dokumentasjon
fact-note = Merknad
evidence-hint = Skriv bare en henvisning, for eksempel nummeret på et kursbevis.
note-hint = Merknaden blir stående i historikken. Skriv ikke noe om helse.
own-certification = Dette er din egen sertifisering, så du kan ikke endre den. Be en annen koordinator eller en administrator om det.
next-stage = Neste varsel: { $date } ({ $stage }).
stage-warning = { $number ->
    [one] én dag før utløp
   *[other] { $number } dager før utløp
}
stage-expired = etter utløp

actions = Hva vil du gjøre?
action-renew = Forny
action-correct = Rett siste gyldige dag
action-suspend = Stans midlertidig
action-reinstate = Sett i kraft igjen
action-withdraw = Trekk tilbake
action-renew-title = Forny: { $name }
action-correct-title = Rett siste gyldige dag: { $name }
action-suspend-title = Stans midlertidig: { $name }
action-reinstate-title = Sett i kraft igjen: { $name }
action-withdraw-title = Trekk tilbake: { $name }
action-renew-check = Stemmer dette? Fornyelsen for { $name } er ikke lagret ennå
action-correct-check = Stemmer dette? Den nye datoen for { $name } er ikke lagret ennå
action-withdraw-check = Vil du trekke tilbake sertifiseringen til { $name }? Den er ikke trukket tilbake ennå
action-renew-save = Lagre fornyelsen
action-correct-save = Lagre datoen
action-withdraw-save = Trekk tilbake sertifiseringen
action-renew-date = Når ble kurset fullført?
action-renew-date-hint = Dag, måned og år, for eksempel 24.12.2026
action-renew-early = Forny nå, selv om det er tidligere enn typen tillater
action-correct-date = Siste gyldige dag
action-correct-date-hint = Dag, måned og år, for eksempel 24.12.2028
action-suspend-date = Siste dag av stansen (valgfritt)
action-suspend-date-hint = Dag, måned og år, for eksempel 24.12.2026. Uten dato varer stansen til noen setter sertifiseringen i kraft igjen.
check-title = Kontroller før du lagrer
check-change = Gå tilbake og endre
done-renewed = Fornyet: { $name }
done-corrected = Siste gyldige dag er rettet: { $name }
done-suspended = Midlertidig stanset: { $name }
done-reinstated = Satt i kraft igjen: { $name }
done-withdrawn = Trukket tilbake: { $name }

faults-title = Noe må rettes
fault-date-form = Skriv datoen som dag, måned og år, for eksempel 24.12.2026.
fault-date-missing = Skriv en dato.
fault-changed = Noen andre har endret sertifiseringen mens du holdt på. Se hva som gjelder nå, og prøv igjen.
fault-completed-later = Kurset kan ikke være fullført etter i dag.
fault-completed-early = { $name } er for lenge siden.
fault-already-lapsed = Med denne datoen ville sertifiseringen allerede ha utløpt, { $name }. Skriv en senere dato.
fault-unchanged = Sertifiseringen gjelder allerede til og med denne datoen. Skriv en annen dato.
fault-suspension-end = Siste dag av stansen må være i dag eller senere, og høyst { $number } år frem.
fault-before-issue = Siste gyldige dag kan ikke være før sertifiseringen ble utstedt, { $name }.
fault-out-of-range = Datoen er for lenge siden, eller mer enn { $number } år frem.
fault-early = Sertifiseringen kan fornyes fra { $name }. Kryss av for å fornye den nå.
fault-no-rule = Typen har ingen fast gyldighet. Skriv siste gyldige dag.
fault-lapsed = Sertifiseringen er utløpt. Forny den i stedet.
fault-withdrawn = Sertifiseringen er trukket tilbake. Var det en feil, må du først sette den i kraft igjen.
fault-erased = Personen er slettet, så sertifiseringen kan ikke endres.
fault-words = Dokumentasjonen eller merknaden er for lang, eller inneholder tegn som ikke kan vises.

timeline = Historikk
timeline-empty = Ingenting har skjedd ennå.
event-renewed = Fornyet. Siste gyldige dag før: { $before }. Nå: { $after }.
event-corrected = Datoen ble rettet. Siste gyldige dag før: { $before }. Nå: { $after }.
event-suspended = Midlertidig stanset.
event-reinstated = Satt i kraft igjen.
event-withdrawn = Trukket tilbake.
event-undone = Endringen ble angret. Siste gyldige dag: { $after }.
event-by = Registrert av { $name }
event-source-command = Fra kommandolinjen
event-source-portal = Meldt av en partner
event-completed = Kurset ble fullført { $name }
event-evidence = Dokumentasjon: { $name }
event-note = Merknad: { $name }
event-erased = Merknaden er slettet
event-notice = Varsel: { $name }
delivery-pending = Venter på å bli sendt
delivery-claimed = Sendes nå
delivery-delivered = Sendt
delivery-unreachable = Kunne ikke sendes: ingen adresse som virker
delivery-cancelled = Ble ikke sendt, fordi det ikke lenger stemte

today-title = { $number ->
    [one] Én sak trenger deg
   *[other] { $number } saker trenger deg
}
today-recorded-title = { $number ->
    [0] Kontakten er lagret. Ingen flere saker trenger deg nå
    [one] Kontakten er lagret. Én sak trenger deg
   *[other] Kontakten er lagret. { $number } saker trenger deg
}
today-nothing-title = Ingen saker trenger deg nå
today-nothing = Her vises sertifiseringer som nylig har utløpt, likepersoner som varsler ikke når fram til, og sertifiseringer som utløper innen 30 dager.
today-expired = Nylig utløpt ({ $number })
today-unreachable = Kan ikke nås ({ $number })
today-week = Utløper innen sju dager ({ $number })
today-month = Utløper om 8 til 30 dager ({ $number })
today-more = Ikke alle vises her. Se alle sertifiseringer
today-chapters = Velg lokallag
today-all-chapters = Alle lokallag
today-held = Kjøringen { $name } venter på godkjenning, fordi den ville ha sendt uvanlig mange varsler.
action-contact = Registrer kontakt
action-contact-title = Registrer kontakt med { $name }
contact-outcome = Hva skjedde?
contact-reached = Snakket med likepersonen
contact-no_answer = Fikk ikke svar
contact-letter_sent = Brev er sendt
contact-booked = Likepersonen er påmeldt kurs
contact-stops = Likepersonen vil ikke fortsette
contact-reached-on = Siste kontakt { $name }: snakket med likepersonen
contact-no_answer-on = Siste kontakt { $name }: fikk ikke svar
contact-letter_sent-on = Siste kontakt { $name }: brev er sendt
contact-booked-on = Siste kontakt { $name }: påmeldt kurs
contact-stops-on = Siste kontakt { $name }: vil ikke fortsette
contact-next = Når bør noen ta kontakt igjen?
contact-next-hint = Dag, måned og år, for eksempel 24.12.2026. Fram til da vises ikke saken under «I dag». Feltet kan stå tomt hvis likepersonen ikke vil fortsette.
contact-until = Neste kontakt { $name }
fault-outcome = Velg hva som skjedde.
fault-next-past = Datoen må være etter i dag, og høyst { $number } år fram.
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
runs-approved-title = Kjøringen er godkjent og ferdig
runs-running-title = Kjøringen er godkjent, men ikke ferdig ennå
runs-running = Kjøringen er godkjent og starter straks. Du kan forlate siden. Resultatet vises her.
runs-held = { $number ->
    [one] Kjøringen { $date } ville ha sendt ett varsel
   *[other] Kjøringen { $date } ville ha sendt { $number } varsler
}
runs-held-why = Det er flere enn grensen. Ingenting er sendt. Kommer tallet av en feil i registeret, er det bedre å rette den først.
runs-of-stage = Varsler { $stage }: { $number }
runs-approve-hint = Hvis du godkjenner, blir varslene sendt.
runs-approve = Godkjenn kjøringen
runs-ask = En administrator må godkjenne den.
runs-nights = Tidligere kjøringer
runs-none = Ingen kjøringer ennå.
runs-notices = { $number ->
    [0] Ingen varsler
    [one] Ett varsel
   *[other] { $number } varsler
}
run-complete = Fullført
run-held = Holdt tilbake
run-missed = Ikke kjørt, dekket av en senere kjøring
run-failed = Stoppet av en feil

certifications-file = Last ned listen som fil (CSV)
fact-name = Navn
until-future = gjelder til og med { $name }
until-past = gjaldt til og med { $name }
until-last = siste gyldige dag { $name }
runs-approved-more-title = { $number ->
    [one] Kjøringen er godkjent og ferdig. Én kjøring til venter på godkjenning
   *[other] Kjøringen er godkjent og ferdig. { $number } kjøringer til venter på godkjenning
}
runs-failed-title = Kjøringen ble stoppet av en feil
action-renew-of = sertifiseringen til { $name }, { $about }
action-contact-of = med { $name }, { $about }
fact-state-after = Etterpå
evidence-label = Dokumentasjon (valgfritt)
note-label = Merknad (valgfritt)
today-cut-title = Siden viser ikke alle sakene
certifications-file-cut = Filen har ikke flere rader enn dette. Velg et filter, og last ned flere filer.
