setup-title = Ta certvakt i bruk
setup-intro = Fyll ut skjemaet én gang. Kontroller tidssonen og gyldigheten før du lagrer.
setup-organisation-title = Foreningen
setup-organisation = Navn på foreningen
setup-locale = Språk i varsler
settings-locale-nb = Norsk bokmål
settings-locale-en = Engelsk
setup-timezone = Tidssone
setup-timezone-hint = Avgjør når en dag begynner. Den kan ikke endres senere.
setup-chapter-title = Det første lokallaget
setup-chapter = Navn på lokallaget
setup-chapter-hint = Flere lokallag kan komme fra registeret.
setup-type-title = Sertifiseringen
setup-type-name = Navn på sertifiseringen
setup-type-hint = For eksempel Likeperson.
setup-months = Gyldig i antall måneder
setup-months-hint = La feltet stå tomt hvis hver sertifisering har sin egen dato.
setup-person-title = Du som administrerer
setup-person-intro = Du blir administrator. Vi bruker adressen når du skal logge inn.
setup-name = Navnet ditt
setup-address = E-postadressen din
setup-save = Opprett foreningen
setup-done-title = Foreningen er opprettet
setup-done = Vi sender deg en e-post. Åpne lenken i den, eller skriv koden her. Begge gjelder i 15 minutter. Etter innloggingen importerer du registeret.

fault-setup-organisation = Skriv navnet på foreningen, høyst 200 tegn
fault-setup-locale = Velg et språk
fault-setup-timezone = Skriv tidssonen som Europe/Oslo
fault-setup-chapter = Skriv navnet på lokallaget, høyst 200 tegn
fault-setup-type_name = Skriv navnet på sertifiseringen, høyst 200 tegn
fault-setup-months = Skriv et helt tall fra 1 til 1200, eller la feltet stå tomt
fault-setup-name = Skriv navnet ditt, høyst 200 tegn
fault-setup-address = Skriv e-postadressen som navn@eksempel.no

today-empty-title = Ingen sertifiseringer ennå

menu-settings = Innstillinger
settings-sections = Innstillinger
settings-section-organisation = Varsler og grenser
settings-section-types = Typer sertifisering
settings-section-chapters = Lokallag
settings-title = Innstillinger for { $name }
settings-saved = Innstillingene er lagret: { $name }
settings-check = Kontroller innstillingene for { $name }
settings-effects = Dette skjer når du lagrer
settings-save = Lagre innstillingene
settings-name = Navn på foreningen
settings-locale = Språk i varsler
settings-locale-hint = Gjelder personer som ikke har valgt språk selv.
settings-time-zone = Tidssone: { $name }. Den kan ikke endres.
settings-notices = Varsler
settings-lead-times = Likepersonen får varsel
settings-days-before = { $number ->
    [one] Én dag før utløp
   *[other] { $number } dager før utløp
}
settings-grace-days = Antall dager en sertifisering regnes som nylig utløpt
settings-grace-days-hint = Fra 1 til 90 dager. Etter det sendes ikke varselet om utløp.
settings-deliver-from = Varsler sendes fra klokken
settings-deliver-hint = Skriv for eksempel 09:00. Samme tid fra og til betyr hele døgnet.
settings-deliver-until = Varsler sendes til klokken
settings-run-at = Nattens varsler registreres fra klokken
settings-limit = Grense for varsler på én natt
settings-limit-intro = Hvis det er flere varsler på én natt enn begge grensene, venter de til en administrator har godkjent dem.
settings-limit-floor = Antall varsler
settings-limit-percent = Prosent av de gyldige sertifiseringene
settings-names = Navn i meldinger
settings-names-certification = Vis navnet på foreningen og sertifiseringen på låseskjermen og i emnet på e-poster
settings-digest-names = Vis navnene på likepersoner i oppsummeringen til koordinatorer

settings-effect-removed = { $number ->
    [one] Ingen får lenger varsel én dag før utløp.
   *[other] Ingen får lenger varsel { $number } dager før utløp.
}
settings-effect-added = { $number ->
    [one] Likepersoner får også varsel én dag før utløp.
   *[other] Likepersoner får også varsel { $number } dager før utløp. De som er inne i den perioden nå, får varselet etter neste natt.
}
settings-effect-locale-nb = De som ikke har valgt språk, får varsler på norsk bokmål.
settings-effect-locale-en = De som ikke har valgt språk, får varsler på engelsk.
settings-effect-grace = { $number ->
    [one] Sertifiseringer regnes som nylig utløpt i én dag.
   *[other] Sertifiseringer regnes som nylig utløpt i { $number } dager.
}
settings-effect-hours = Varsler sendes mellom klokken { $from } og { $until }.
settings-effect-any-hour = Varsler sendes hele døgnet, også om natten.
settings-effect-run = Nattens varsler registreres fra klokken { $name }.
settings-effect-limit = Mer enn { $number } varsler på én natt venter på godkjenning hvis de også er mer enn { $percent } prosent av de gyldige sertifiseringene.
settings-effect-names-on = Låseskjermen og emnet på e-poster kan vise navnet på foreningen og sertifiseringen. Andre kan da se at personen er likeperson der, og det kan si noe om helsen deres.
settings-effect-names-off = Låseskjermen og emnet på e-poster viser ikke navnet på foreningen eller sertifiseringen.
settings-effect-digest-on = Oppsummeringen til koordinatorer på e-post viser navnene på likepersoner.
settings-effect-digest-off = Oppsummeringen til koordinatorer på e-post viser ikke navnene på likepersoner.

fault-settings-name = Skriv navnet på foreningen, høyst 200 tegn
fault-settings-locale = Velg et språk
fault-settings-lead_times = Velg minst ett varsel
fault-settings-grace_days = Skriv et helt antall dager fra 1 til 90
fault-settings-deliver_from = Skriv når varsler sendes fra, for eksempel 09:00
fault-settings-deliver_until = Skriv når varsler sendes til, for eksempel 20:00
fault-settings-run_at = Skriv når nattens varsler skal registreres, for eksempel 02:00
fault-settings-limit_floor = Skriv et helt antall varsler, høyst 1000000
fault-settings-limit_percent = Skriv et helt tall fra 0 til 100

settings-types-title = Sertifiseringer i { $name }
settings-valid-for = { $number ->
    [one] Gyldig i én måned
   *[other] Gyldig i { $number } måneder
}
settings-valid-until-date = Hver sertifisering har sin egen dato
settings-own-lead-times = Egne varsler: { $name } dager før utløp
settings-common-lead-times = Varsler som foreningen: { $name } dager før utløp
settings-type-change = Endre
settings-of = for { $name }
settings-type-new = Ny sertifisering
settings-type-add = Legg til sertifiseringen
settings-type-title = Endre { $name }
settings-type-lead-times = Hvilke varsler gjelder?
settings-as-organisation = De samme som for foreningen: { $name } dager før utløp
settings-own = Egne varsler for denne sertifiseringen
settings-own-times = Egne varsler
settings-chapters-title = Lokallag i { $name }
settings-chapters-of-app = Lokallagene kommer fra en annen tjeneste. Endre dem der.
settings-chapter-below = Under { $name }
settings-chapter-change = Endre navnet
settings-chapter-new = Nytt lokallag
settings-chapter-parent = Hører under
settings-chapter-top = Ingen, det står øverst
settings-chapter-add = Legg til lokallaget
settings-chapter-title = Endre navnet på { $name }
settings-chapter-save = Lagre navnet

fault-settings-known = Navnet er i bruk. Skriv et annet navn
fault-changed-to = { $label }: En annen har endret dette til { $name } mens du hadde skjemaet åpent. Lagre igjen for å bruke det du skrev
fault-changed-to-yes = { $label }: En annen har valgt dette mens du hadde skjemaet åpent. Lagre igjen for å bruke det du valgte
fault-changed-to-no = { $label }: En annen har fjernet dette valget mens du hadde skjemaet åpent. Lagre igjen for å bruke det du valgte
settings-effect-validity = { $number ->
    [one] Nye fornyelser gjelder i én måned. Sertifiseringer som alt er registrert, beholder datoen sin.
   *[other] Nye fornyelser gjelder i { $number } måneder. Sertifiseringer som alt er registrert, beholder datoen sin.
}
settings-effect-validity-none = Hver ny fornyelse må ha sin egen dato. Sertifiseringer som alt er registrert, beholder datoen sin.
fault-settings-not-own = Velg «Egne varsler for denne sertifiseringen» hvis du vil endre varslene
fault-changed-to-nothing = { $label }: En annen har tømt dette feltet mens du hadde skjemaet åpent. Lagre igjen for å bruke det du skrev

settings-section-sign-in = Innlogging
sign-in-of-organisation = Slik logger folk inn: { $name }
sign-in-methods = Innloggingsmåter
sign-in-provider = { $name } ({ $host })
sign-in-links = En lenke eller kode på e-post, for alle som har en adresse her.
sign-in-no-links = Lenker på e-post tilbys ikke.
sign-in-demo = Dette er en demo: Alle velger selv hvem de er.
sign-in-administrators = Administratorer som endrer noe
sign-in-age-minutes = { $number ->
    [one] De må ha logget inn det siste minuttet. Ellers logger de inn på nytt først.
   *[other] De må ha logget inn de siste { $number } minuttene. Ellers logger de inn på nytt først.
}
sign-in-age-hours = { $number ->
    [one] De må ha logget inn den siste timen. Ellers logger de inn på nytt først.
   *[other] De må ha logget inn de siste { $number } timene. Ellers logger de inn på nytt først.
}
sign-in-stronger = De trenger en sterkere innlogging, som bare noen innloggingsmåter gir.
sign-in-no-step-up = De trenger ingen sterkere eller nyere innlogging enn andre.
sign-in-lasts = Hvor lenge innloggingen varer
sign-in-session = Folk blir logget ut etter { $days } dager, og tidligere hvis de ikke har brukt certvakt på { $hours } timer.
sign-in-of-installation = Dette gjelder for hele installasjonen. Den som drifter den, endrer det i konfigurasjonsfilen, i delene [sign_in] og [step_up].
