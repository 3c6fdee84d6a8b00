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
date-and-time = { $date } kl. { $time }
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
filter-renewal = Trenger fornyelse (utløper snart eller nylig utløpt)
filter-due = Utløper snart (innen { $number ->
    [one] én dag
   *[other] { $number } dager
})
filter-due-between = Utløper snart (innen { $first } til { $number } dager, avhengig av typen)
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
action-renew-date-hint = Dag, måned og år, for eksempel 3.2.2026
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
fault-date-none = Denne datoen finnes ikke. Se over dag og måned.
fault-date-form = Skriv datoen som dag, måned og år, for eksempel 24.12.2026.
fault-date-year = Årstallet mangler. Skriv det også, for eksempel 6.12.2026.
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
delivered-email = Sendt på e-post
delivered-fcm = Sendt til appen
delivered-file = Skrevet til en fil
delivery-unreachable = Kunne ikke sendes: ingen adresse som virker
delivery-cancelled = Ble ikke sendt, fordi det ikke lenger stemte

today-title = { $number ->
    [one] Én sak trenger deg
   *[other] { $number } saker trenger deg
}
today-ahead = I tillegg { $number ->
    [one] utløper én sertifisering innen en måned. Den står
   *[other] utløper { $number } sertifiseringer innen en måned. De står
} lenger ned.
today-recorded-title = { $number ->
    [0] Kontakten med { $name } er lagret. Ingen flere saker trenger deg nå
    [one] Kontakten med { $name } er lagret. Én sak trenger deg
   *[other] Kontakten med { $name } er lagret. { $number } saker trenger deg
}
today-recorded-until = { $outcome }. Saken vises ikke her før { $day }.
today-nothing-title = Ingen saker trenger deg nå
today-nothing = Her vises sertifiseringer som nylig har utløpt, likepersoner som varsler ikke når fram til, og sertifiseringer som utløper innen 30 dager.
today-empty = Når det er sertifiseringer her, viser denne siden hvem som trenger deg. Importer et register, eller legg dem til én og én:
today-order = De som haster mest, står øverst.
today-expired = Nylig utløpt ({ $number })
today-unreachable = Kan ikke nås ({ $number })
today-week = Utløper innen sju dager ({ $number })
today-month = Utløper om 8 til 30 dager ({ $number })
today-no-phone = Ingen telefon
today-not-lapsed = De som utløp for lenge siden, står ikke her.
today-lapsed = Se alle utløpte sertifiseringer
today-more = Ikke alle vises her. Se alle sertifiseringer
today-chapters = Velg lokallag
today-all-chapters = Alle lokallag
today-held = Varslene for natten { $name } venter på godkjenning, fordi de er uvanlig mange.
today-partner-stopped = { $partner } får ikke lenger vite hvilke likepersoner som kan kontaktes ({ $organisation }). Administratorene følger det opp.
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
contact-next-hint = Dag, måned og år, for eksempel 24.12.2026. I dag er { $name }. Saken vises ikke under «I dag» før datoen du skriver. Vil likepersonen ikke fortsette, blir datoen ikke brukt.
contact-until = Neste kontakt { $name }
fault-outcome = Velg hva som skjedde.
fault-next-past = Datoen må være etter i dag, og høyst { $number } år fram.
address-email = E-post
address-phone = Telefon

mine-title = Min side
mine-certifications = Mine sertifiseringer
mine-none = Du har ingen sertifiseringer her.

menu-runs = Nattens varsler
update-status = Oppdater status
runs-title = Nattens varsler
runs-held-title = { $number ->
    [one] Varslene for én natt venter på godkjenning
   *[other] Varslene for { $number } netter venter på godkjenning
}
runs-approved-title = Varslene er godkjent og blir sendt
runs-running-title = Varslene er godkjent og blir snart sendt
runs-running = Først blir de registrert. Det tar vanligvis under ett minutt. Så blir de sendt. Du kan forlate siden. Resultatet vises her.
runs-held = { $number ->
    [one] Ett varsel for natten { $date } er ikke sendt
   *[other] { $number } varsler for natten { $date } er ikke sendt
}
runs-held-approved = { $number ->
    [one] Varselet for natten { $date } er godkjent
   *[other] De { $number } varslene for natten { $date } er godkjent
}
runs-held-checking = Natten { $date } kontrolleres på nytt
runs-held-why = Det er flere enn grensen, som er { $number }. Kommer tallet av en feil i registeret, er det bedre å rette den først.
runs-of-stage = Varsler { $stage }: { $number }
runs-approve-hint = Er varslene riktige, godkjenn dem. Da blir de sendt.
runs-approve = { $number ->
    [one] Godkjenn varselet
   *[other] Godkjenn { $number } varsler
}
runs-ask = En administrator må godkjenne dem.
runs-check-hint = Er det en feil i registeret, rett den eller angre importen først, og kontroller så på nytt. Varslene blir da bare sendt hvis de ikke er flere enn grensen. Gjør du ingenting, sendes ingen av dem nå, og neste natt kontrollerer på nytt.
runs-check = Kontroller på nytt
runs-checking-title = Natten kontrolleres på nytt
runs-checking = Det tar vanligvis under ett minutt. Du kan forlate siden. Resultatet vises her.
runs-checked-title = Kontrollert på nytt: natten er innenfor grensen
runs-still-held-title = Kontrollert på nytt: det er fortsatt flere varsler enn grensen
runs-moved = Datoen ble endret { $date }. Før det: gyldig til { $before }.
run-checked = Holdt tilbake, og så kontrollert på nytt
runs-nights = Tidligere netter
runs-none = Ingen netter ennå.
runs-examples = { $number ->
    [one] Ett eksempel på varslene
   *[other] { $number } eksempler på varslene
}
run-approved = Holdt tilbake, og så godkjent
runs-see-import = Se importen
runs-import = Siden forrige natt er det importert et register, { $time }. Det endret { $number ->
    [one] én sertifisering
   *[other] { $number } sertifiseringer
}. Se om datoene stemmer før varslene godkjennes.
runs-import-undone = Importen { $time }, som endret { $number ->
    [one] én sertifisering
   *[other] { $number } sertifiseringer
}, er angret. Varslene må kontrolleres på nytt.
runs-notices = { $number ->
    [0] Ingen varsler
    [one] Ett varsel
   *[other] { $number } varsler
}
run-complete = Registrert for utsending
run-held = Holdt tilbake
run-missed = Ingen varsler denne natten, dekket av en senere natt
run-failed = Stoppet av en feil

certifications-file = Last ned listen som fil (CSV)
certifications-contacts = Ta med e-post og telefon
certifications-printed = Møteliste for utskrift
certifications-workbook = Last ned listen som regneark (XLSX)
printed-back = Tilbake til sertifiseringene
printed-cut = Listen har ikke flere sertifiseringer enn disse. Velg et filter, og skriv ut flere lister.
chapter-unnamed = Et annet lokallag
fact-name = Navn
until-future = gjelder til og med { $name }
until-past = gjaldt til og med { $name }
until-last = siste gyldige dag { $name }
runs-approved-more-title = { $number ->
    [one] Varslene er godkjent og registrert. Varslene for én natt til venter på godkjenning
   *[other] Varslene er godkjent og registrert. Varslene for { $number } netter til venter på godkjenning
}
runs-failed-title = En feil stoppet nattens varsler
action-renew-of = sertifiseringen til { $name }, { $about }
action-contact-of = med { $name }, { $about }
fact-state-after = Etterpå
evidence-label = Dokumentasjon (valgfritt)
note-label = Merknad (valgfritt)
today-cut-title = Siden viser ikke alle sakene
certifications-file-cut = Filen har ikke flere rader enn dette. Velg et filter, og last ned flere filer.

undo-move = Angre flyttingen: tilbake til { $name }
undo-last = Angre din siste endring
undo-together = { $number ->
   *[other] Du endret { $number } sertifiseringer samtidig. Vis dem
}
done-undone = Angret: { $name }
undone-another = Finn en annen
event-undone-suspended = Det ble angret at sertifiseringen ble satt i kraft igjen: midlertidig stanset.
event-undone-reinstated = Stansen ble angret: satt i kraft igjen.
several = Flere på én gang
action-renew-several = Forny flere
action-suspend-several = Stans flere midlertidig
action-reinstate-several = Sett flere i kraft igjen
action-renew-several-title = { $number ->
    [0] Ingen her kan fornyes
    [one] Forny én sertifisering
   *[other] Forny { $number } sertifiseringer
}
action-suspend-several-title = { $number ->
    [0] Ingen her kan stanses
    [one] Stans én sertifisering midlertidig
   *[other] Stans { $number } sertifiseringer midlertidig
}
action-reinstate-several-title = { $number ->
    [0] Ingen her kan settes i kraft igjen
    [one] Sett én sertifisering i kraft igjen
   *[other] Sett { $number } sertifiseringer i kraft igjen
}
action-renew-several-done = { $number ->
    [0] Ingen er fornyet
    [one] Fornyet: én sertifisering
   *[other] Fornyet: { $number } sertifiseringer
}
action-suspend-several-done = { $number ->
    [0] Ingen er stanset
    [one] Midlertidig stanset: én sertifisering
   *[other] Midlertidig stanset: { $number } sertifiseringer
}
action-reinstate-several-done = { $number ->
    [0] Ingen er satt i kraft igjen
    [one] Satt i kraft igjen: én sertifisering
   *[other] Satt i kraft igjen: { $number } sertifiseringer
}
several-done = { $number ->
    [0] Ingen er endret
    [one] Én sertifisering er endret
   *[other] { $number } sertifiseringer er endret
}
several-undone-title = { $number ->
    [one] Angret: én sertifisering
   *[other] Angret: { $number } sertifiseringer
}
several-none = Du kan ikke gjøre dette med noen sertifisering på listen.
several-back = Alle sertifiseringer
several-cut = Listen er lang, så bare de første { $number } er med. Velg et filter, eller ta resten etterpå.
several-filter = Velg et filter først. Da kan du fornye, stanse eller sette i kraft alle i listen samtidig.
several-renewal = Velg dem som trenger fornyelse
several-choose-none = Alle er valgt nå. Start heller uten noen valgt
several-choose-all = Ingen er valgt nå. Start heller med alle valgt
several-choose = Hvem gjelder det? Fjern krysset for dem du ikke vil endre
several-make = Lagre for alle på listen
several-renewed = Siste gyldige dag endres fra { $before } til { $after }.
several-renewed-first = Siste gyldige dag blir { $name }.
several-refused = { $number ->
    [one] Blir ikke endret: én
   *[other] Blir ikke endret: { $number }
}
several-will-change = Blir endret
several-left-out = Ikke med: { $number }
several-left-out-names = Ikke med: { $name }
several-long-valid = { $number ->
    [one] Én av sertifiseringene er gyldig i mer enn { $days } dager til. Kontroller at det er riktig person.
   *[other] { $number } av sertifiseringene er gyldige i mer enn { $days } dager til. Kontroller at det er riktige personer.
}
check-long-valid = Sertifiseringen er gyldig i { $number } dager til. Kontroller at det er riktig person.
several-undo = Du kan angre dette i 24 timer, så lenge sertifiseringen ikke blir endret på nytt.
several-undo-all = { $number ->
    [one] Angre endringen
   *[other] Angre alle { $number } endringene
}
several-not = { $number ->
    [one] Ikke endret: én
   *[other] Ikke endret: { $number }
}
several-changed = { $number ->
    [one] Endret: én
   *[other] Endret: { $number }
}
several-since = { $number ->
    [one] Endret på nytt etterpå, så det kan ikke angres: én
   *[other] Endret på nytt etterpå, så det kan ikke angres: { $number }
}
several-undone = { $number ->
    [one] Angret, som før endringen: én
   *[other] Angret, som før endringen: { $number }
}
fault-none-chosen = Kryss av for minst én sertifisering.
refusal-unchanged = Den var slik fra før.
refusal-version-mismatch = Noen andre endret den mens du holdt på.
refusal-not-permitted = Du kan ikke endre den.
refusal-unknown-name = Den finnes ikke lenger.
refusal-renewal-date-missing = Typen har ingen fast gyldighet. Forny den alene, med siste gyldige dag.
refusal-renewal-early = Det er tidligere enn typen tillater. Forny den alene.
refusal-renewal-date = Datoen passer ikke for denne sertifiseringen. Endre den alene, så ser du hvorfor.
refusal-certification-lapsed = Den er utløpt. Forny den i stedet.
refusal-certification-withdrawn = Den er trukket tilbake. Var det en feil, må du først sette den i kraft igjen.
refusal-person-erased = Personen er slettet.
refusal-history-full = Den er endret for mange ganger. Spør den som drifter certvakt.
refusal-other = En feil stanset endringen. Prøv igjen.
version-mismatch-title = Noen endret den mens du holdt på
version-mismatch = Sertifiseringen er endret på nytt, så endringen din ble ikke gjort. Gå tilbake, og se hva som gjelder nå.

kept-title-of = Ikke lagret ennå. { $name }
kept-title = Skjemaet ditt er tatt vare på
kept = Du måtte logge inn på nytt, men det siste skjemaet du sendte, er tatt vare på. Det er ikke lagret ennå. Se over, og velg «Gå videre».
kept-send = Gå videre
kept-discard = Slett det jeg skrev

menu-outlook = Månedene framover
outlook-title = Månedene framover: sertifiserte likepersoner de neste 18 månedene
outlook-short-title = { $number ->
    [one] Ett lokallag har eller får for få likepersoner
   *[other] { $number } lokallag har eller får for få likepersoner
}
outlook-set-title = Lagret for { $name }
outlook-what = Så mange sertifiseringer utløper i hver av de neste 18 månedene, og så mange likepersoner er sertifisert ved slutten av måneden hvis ingen fornyer.
outlook-none = Du har ikke ansvar for noe lokallag.
outlook-without-number = { $valid ->
    [one] Én sertifisert likeperson i dag.
   *[other] { $valid } sertifiserte likepersoner i dag.
}
outlook-short-now = { $valid ->
    [0] Ingen sertifiserte likepersoner i dag, og lokallaget trenger { $required }.
    [one] Én sertifisert likeperson i dag, og lokallaget trenger { $required }.
   *[other] { $valid } sertifiserte likepersoner i dag, og lokallaget trenger { $required }.
}
outlook-short-from = { $required ->
    [1] Ingen sertifiserte likepersoner fra { $month } hvis ingen fornyer. I dag er det { $valid }.
   *[other] Færre enn { $required } sertifiserte likepersoner fra { $month } hvis ingen fornyer. I dag er det { $valid }.
}
outlook-enough = { $valid ->
    [one] Én sertifisert likeperson i dag. Det er minst { $required } i 18 måneder framover.
   *[other] { $valid } sertifiserte likepersoner i dag. Det er minst { $required } i 18 måneder framover.
}
outlook-caption = { $name }: sertifiseringer som utløper i måneden, og sertifiserte likepersoner ved slutten av den
outlook-month = Måned
outlook-expiring = Utløper
outlook-valid = Sertifiserte
outlook-required = Likepersoner som trengs
outlook-number = Hvor mange likepersoner trenger { $name }?
outlook-number-hint = Et helt tall. La feltet stå tomt hvis det ikke er bestemt.
outlook-set = Lagre
outlook-set-for = for { $name }
outlook-file = Last ned tallene som fil (CSV)
fault-required = Skriv et helt tall fra 1 til { $number }, eller ingenting.

about-title = Hjelp, personvern og tilgjengelighet
about-help-title = Hjelp
about-help = Spør koordinatoren din, eller en administrator i foreningen.
help-today = Se hvem som trenger deg
help-today-how = «I dag» viser hvem som er utløpt, hvem vi ikke når, og hvem som utløper snart. Ring, og velg «Registrer kontakt» ved navnet. Da forsvinner raden for alle koordinatorer til dagen du har valgt.
help-renew = Forny en sertifisering
help-renew-how = Finn personen under «Sertifiseringer», og åpne navnet. Der kan du fornye, rette datoen, stanse midlertidig, trekke tilbake og rette adresser.
help-several = Forny flere på én gang
help-several-how = Filtrer «Sertifiseringer» til dem det gjelder, og velg «Forny flere». Du kan ta bort enkelte før du lagrer.
help-undo = Angre noe du har gjort
help-undo-how = Åpne «Endringene dine det siste døgnet», og velg «Angre». Det går i 24 timer, så lenge ingen har endret det samme siden.
help-unreached = Finn ut hvorfor noen ikke fikk varsel
help-unreached-how = Åpne sertifiseringen. Øverst står det hvorfor ingen varsler kommer fram, og lenger ned står alt som er sendt. Rett adressen der, så sendes varselet på nytt.
help-stops = Noen slutter eller dør
help-stops-how = Åpne sertifiseringen, og velg «Registrer at likepersonen har sluttet eller er død». Da stopper varslene, og personen blir tatt av partnernes lister.
help-import = Importer et register
help-import-how = Last opp filen, velg hva hver kolonne er, og se hva som vil bli endret. Ingenting endres før du bekrefter, og du kan angre importen i 30 dager.
help-held = Varslene for en natt venter
help-held-how = Det er uvanlig mange. Se på eksemplene og på siste import. En administrator godkjenner varslene, eller retter feilen og velger «Kontroller på nytt».
about-privacy-title = Personvern
about-privacy = certvakt lagrer hvem som er sertifisert og til når, hvordan folk kan nås, hvilke varsler som er sendt, hvem som har snakket med deg om fornyelse, hvordan du logger inn, og hvem som har endret hva. Koordinatorene i lokallagene dine og nivåene over og administratorene i foreningen ser opplysninger om deg, og det logges hver gang. Har du samtykket til det, viser foreningens partnere deg på listene sine.
about-rights = Du kan be foreningen om å få vite hva som er lagret om deg, og om å få det rettet eller slettet.
about-privacy-link = Foreningens personvernerklæring
about-accessibility-title = Tilgjengelighet
about-accessibility = Sidene er laget for å oppfylle WCAG 2.2, nivå A og AA: med tastatur, skjermleser, stor tekst, høy kontrast og på små skjermer. Alle sidene testes automatisk. Tester med folk som bruker skjermleser til daglig, mangler ennå.
about-accessibility-report = Si fra som beskrevet under «Hjelp» hvis noe ikke virker for deg. Du har krav på en løsning.
kept-page = Åpne et tomt skjema i stedet
kept-date = Dato
kept-outcome = Hva som skjedde

mentor-actions = Endringer for likepersonen
action-move = Flytt til et annet lokallag
action-move-title = Flytt til et annet lokallag: { $name }
move-what = Likepersonen flyttes med alle sertifiseringene sine fra dette lokallaget. Du kan flytte tilbake på samme måte. Bruker dere et register, må lokallaget endres der også: neste import følger registeret.
move-to = Nytt lokallag
move-choose = Velg lokallag
move-nowhere = Du har ikke ansvar for noe annet lokallag i foreningen. En administrator kan flytte likepersonen.
fault-chapter = Velg hvilket lokallag likepersonen skal flyttes til.
action-end = Registrer at likepersonen har sluttet eller er død
action-end-title = Registrer at likepersonen har sluttet eller er død: { $name }
action-end-check = Stemmer dette om { $name }? Ingenting er registrert ennå
ending-reason = Hva har skjedd?
ending-left = Likepersonen har sluttet
ending-deceased = Likepersonen er død
ending-consequences = Dette skjer med én gang:
ending-withdrawn = Alle likepersonens sertifiseringer i foreningen trekkes tilbake.
ending-delisted = Likepersonen fjernes fra listene til partnerne.
ending-nothing-sent = Varsler som venter, blir ikke sendt, og det sendes ingen nye. Ingen får beskjed om dette.
ending-roles = Alle likepersonens roller i foreningen avsluttes. Innlogginger avsluttes også, med mindre en annen forening har likepersonen registrert.
ending-register = Står likepersonen i et register som importeres senere, blir den raden avvist.
ending-kept = Opplysningene lagres videre til noen sletter dem. Er det registrert ved en feil, kan en administrator registrere at likepersonen er tilbake, men sertifiseringer, samtykker og innlogginger kommer ikke tilbake av seg selv.
fault-ending-reason = Velg hva som har skjedd.
action-return = Registrer at likepersonen er tilbake
action-return-hint = Er det registrert ved en feil? Da kan du registrere at likepersonen er tilbake. Likepersonen blir med i lokallagene sine igjen, men sertifiseringene er trukket tilbake til noen setter dem i kraft.
done-left = Har sluttet: { $name }
done-deceased = Registrert som død: { $name }
done-returned = Er tilbake: { $name }
done-moved = Flyttet: { $name }
event-left = Likepersonen har sluttet.
event-deceased = Likepersonen er død.
event-returned = Likepersonen er tilbake.
event-moved = Flyttet fra { $before } til { $after }.
chapter-hidden = et annet lokallag
fault-ended = Likepersonen har sluttet eller er død. Er det feil, kan en administrator registrere at likepersonen er tilbake.
refusal-person-ended = Likepersonen har sluttet eller er død.

chapters-title = Lokallag
chapters-link = Lokallagene med koordinatorer og likepersoner
chapters-moved-title = Likepersonene er flyttet til { $name }
chapter-without-coordinator = Ingen koordinator, heller ikke på nivåene over
chapter-coordinated-above = Ingen egen koordinator
chapter-mentors = { $number ->
    [0] Ingen likepersoner
    [one] Én likeperson
   *[other] { $number } likepersoner
}
chapter-move = Flytt alle likepersonene
chapter-move-from = fra { $name }
chapter-move-title = Flytt alle likepersonene: { $name }
chapter-move-check = Stemmer dette? Likepersonene i { $name } er ikke flyttet ennå
chapter-move-what = Alle likepersonene flyttes med sertifiseringene sine fra lokallaget. De blandes med dem som er der fra før, så flyttingen kan ikke angres samlet. Bruker dere et register, må lokallaget endres der også: neste import følger registeret.
fault-chapters = Velg hvilket lokallag likepersonene skal flyttes til.
today-without-coordinator = { $number ->
    [one] Ett lokallag har likepersoner, men ingen koordinator: { $name }.
   *[other] { $number } lokallag har likepersoner, men ingen koordinator: { $name }.
}
digest = Oversikt på e-post
digest-hint = Den viser det samme som siden «I dag». Hvis en sertifisering utløper, eller en likeperson ikke kan nås, får du en e-post samme morgen.
digest-off = Ikke send meg noen
digest-daily = Hver morgen det er noe nytt
digest-weekly = En gang i uken
digest-weekday = Dag for den ukentlige oversikten
digest-save = Lagre
digest-saved = Lagret: oversikt på e-post
digest-schedule = Hvor ofte vil du ha den?
ending-left-save = Registrer at likepersonen har sluttet
ending-deceased-save = Registrer dødsfallet
today-without-coordinator-more = { $number } lokallag har likepersoner, men ingen koordinator, blant dem { $name }.
action-renew-several-check = { $number ->
    [0] Ingen av dem kan fornyes
    [one] Stemmer dette? Én fornyelse er ikke lagret ennå
   *[other] Stemmer dette? { $number } fornyelser er ikke lagret ennå
}
action-suspend-several-check = { $number ->
    [0] Ingen av dem kan stanses
    [one] Stemmer dette? Én stans er ikke lagret ennå
   *[other] Stemmer dette? { $number } stanser er ikke lagret ennå
}
action-reinstate-several-check = { $number ->
    [0] Ingen av dem kan settes i kraft igjen
    [one] Stemmer dette? Én sertifisering er ikke satt i kraft ennå
   *[other] Stemmer dette? { $number } sertifiseringer er ikke satt i kraft ennå
}
