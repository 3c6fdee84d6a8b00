# Partnere, feil på listene deres, og kurs som de melder om.
partners-title = Partnere
partners-all = Partnere og listene deres
partners-what = En partner viser fram likepersoner som folk kan kontakte. Her ser du om listene stemmer.
partners-none = Foreningen har ingen partnere.

partner-never-on = Ikke slått på ennå.
partner-off = Slått av siden { $name }.
partner-stopped-since = Stanset siden { $name }.
partner-needs = { $number ->
    [one] Ett problem må løses.
   *[other] { $number } problemer må løses.
}
partner-staging = Slått på i testmiljøet. Folk ser ikke listen.
partner-works = Virker som den skal.
partner-needs-title = { $number ->
    [one] { $name }: Ett problem må løses
   *[other] { $name }: { $number } problemer må løses
}
partner-works-title = { $name }: Alt er i orden
partner-off-title = { $name } er slått av
partner-settled-title = Meldingen er avgjort: { $name }
partner-resumed-title = Sendingen til { $name } er startet igjen
partner-stopped-contract = Partneren svarte ikke som avtalt. Derfor får den ingen endringer før en administrator starter sendingen igjen.
partner-stopped-sign-in = Partneren godtar ikke innloggingen vår. Når den er i orden, må en administrator starte sendingen igjen.
partner-stopped-outage = Partneren svarer ikke. Vi prøver på nytt av oss selv, og sender endringene når den svarer igjen.
partner-shown = { $number ->
    [0] { $name } sto ingen av likepersonene våre på listen.
    [one] { $name } sto én av likepersonene våre på listen.
   *[other] { $name } sto { $number } av likepersonene våre på listen.
}
partner-since = Siden { $name }.
partner-key = Nøkkel hos partneren: { $name }

removals = Skal ikke stå på listen
removals-what = Disse kan stå på listen til partneren uten å skulle det. Den som har stått lengst, står først.
removals-none = Ingen som du kan se, står feil på listen.
removals-next = Vis flere som ikke skal stå på listen
removal-since = siden { $name }
removal-age = { $number ->
    [0] Siden i dag
    [one] I 1 dag
   *[other] I { $number } dager
}
removal-still-shown = Listen viser likepersonen fortsatt. Vi sender beskjeden på nytt.
removal-accepted = Partneren har fått beskjed. Listen er ikke lest etterpå.
removal-waits = Partneren har ikke tatt imot beskjeden ennå.
removal-without-consent = Samtykker ikke, eller er holdt utenfor
removal-gone = Ingen sertifisering du kan se

reports = Meldinger om fullførte kurs som må avgjøres
reports-what = Partneren har meldt om disse kursene, men de stemmer ikke med det som står her. Den eldste står først.
reports-none = Ingen meldinger venter på deg.
reports-next = Vis flere meldinger
report-completed = Kurset ble fullført { $name }.
report-key = Ukjent likeperson med nøkkelen { $name }
report-own = Meldingen gjelder deg. Noen andre må avgjøre den.
report-mentor-unknown = Ingen her er registrert med nøkkelen hos partneren.
report-course-unknown = Kurset er ikke knyttet til noen sertifisering.
report-no-certification = Likepersonen har ingen sertifisering av denne typen.
report-several-certifications = Likepersonen har flere sertifiseringer av denne typen.
report-suspended = Sertifiseringen er midlertidig stanset.
report-withdrawn = Sertifiseringen er trukket tilbake.
report-certification-withdrawn = Sertifiseringen er trukket tilbake.
report-in-future = Kurset er fullført etter i dag.
report-before-issue = Kurset ble fullført før sertifiseringen ble utstedt.
report-too-early = Typen kan ikke fornyes så tidlig.
report-would-shorten = Sertifiseringen gjelder allerede lenger.
report-lapsed-since = Sertifiseringen ville ha vært utløpt også etter fornyelsen.
report-renewed-since = Sertifiseringen er nylig fornyet. Det kan være det samme kurset.
report-other-date = Partneren har en annen siste gyldige dag enn regelen her gir.
report-no-date = Partneren har ikke meldt noen siste gyldige dag, og typen har ingen regel.
report-renewal-date = Datoen er ikke mulig.
report-history-full = Sertifiseringen er endret så mange ganger at den ikke kan endres igjen.
report-other = Meldingen kunne ikke føre til en fornyelse.

settle = Avgjør
settle-of = { $name }
settlement-title = Avgjør melding om { $name }
settlement-unknown-title = Avgjør melding om en ukjent likeperson
settlement-key = Nøkkel hos partneren
settlement-until = Partnerens siste gyldige dag
settlement-received = Meldt
settlement-reason = Hvorfor den venter
settlement-unknown = Finn sertifiseringen hvis du vet hvem det gjelder. Ellers kan du avvise meldingen.
settlement-search = Søk etter likepersonen, med navn eller nummer
settlement-nobody = Ingen i foreningen passer med søket.
settlement-none = Likepersonen har ingen sertifisering som du kan fornye. Du kan avvise meldingen, eller vente til det er rettet.
settlement-decision = Hva vil du gjøre?
settlement-accept = Forny sertifiseringen
settlement-dismiss = Avvis meldingen
settlement-certification = Hvilken sertifisering?
settlement-date = Siste gyldige dag (valgfritt)
settlement-date-by-rule = Lar du feltet stå tomt, regnes dagen ut etter regelen for typen.
settlement-date-of-partner = Lar du feltet stå tomt, gjelder partnerens dag: { $name }.
settlement-check = Stemmer dette? Meldingen er ikke avgjort ennå
settlement-dismiss-what = Sertifiseringen blir som den er. Det kan ikke angres, men du kan alltid fornye sertifiseringen selv.
settlement-save = Lagre avgjørelsen
fault-settlement-decision = Velg om sertifiseringen skal fornyes, eller om meldingen skal avvises.
fault-settlement-certification = Velg hvilken sertifisering som skal fornyes.

resume = Start sendingen igjen
resume-title = Start sendingen til { $name } igjen?
resume-effects = Dette sendes til partneren når sendingen starter
resume-delists = { $number ->
    [0] Ingen tas av listen.
    [one] Én likeperson tas av listen.
   *[other] { $number } likepersoner tas av listen.
}
resume-lists = { $number ->
    [0] Ingen settes på listen.
    [one] Én likeperson settes på listen.
   *[other] { $number } likepersoner settes på listen.
}
resume-held = Når mer enn { $number } skal av listen samtidig, må en administrator godkjenne det før de tas av.
resume-what = Først prøver vi om partneren svarer slik det er avtalt. Det kan ta noen sekunder. Går det ikke, er sendingen fortsatt stanset.
resume-differences = Dette svarte partneren
fault-resume = Partneren svarer fortsatt ikke slik det er avtalt. Sendingen er fortsatt stanset.
fault-resume-untested = Partneren kunne ikke prøves herfra nå. Sendingen er fortsatt stanset. Prøv igjen, eller spør den som driver tjenesten.

# Samtykke som koordinatoren registrerer for likepersonen.
action-listing-consents = Registrer samtykke til lister
consents-title = Samtykke til lister: { $name }
consents-what = En partner kan ha en offentlig liste over likepersoner. Har likepersonen samtykket på papir, i et møte eller på telefon, kan du registrere det her. Da får likepersonen e-post om det.
consents-nowhere = Likepersonen er ikke påmeldt hos noen partner.
consents-none = Likepersonen har ikke samtykket, og skal ikke stå på listen.
consents-excluded = Likepersonen er tatt av listen til de samtykker på nytt.
consents-listed = Likepersonen samtykket { $name }, og skal stå på listen.
consents-not-listed = Likepersonen samtykket { $name }, men skal ikke stå på listen nå. Det kan være fordi sertifiseringen ikke er gyldig.
consents-way = Hvordan ble samtykket gitt?
consents-way-paper = På papir
consents-way-in_person = I et møte
consents-way-phone = På telefon
consents-day = Hvilken dag ble samtykket gitt?
consents-day-hint = Dag, måned og år, for eksempel 24.12.2026.
consents-version = Versjon av teksten
consents-version-hint = Den står under teksten i brevet.
consents-language = Språket i teksten
consents-give = Registrer samtykke til listen hos { $partner }
consents-withdraw = Registrer at samtykket til { $partner } er trukket tilbake
consents-withdraw-what = Trekker likepersonen samtykket tilbake, ber vi partneren straks om å ta dem av listen.
consents-done-consent = Samtykket er registrert: { $name }
consents-done-withdraw = Registrert at samtykket er trukket tilbake: { $name }
consents-unnotified = Likepersonen har ingen e-postadresse, så vi kunne ikke gi beskjed. Send et brev om det.
consents-record = Det som er registrert
consents-given-own = { $name }: Likepersonen samtykket selv.
consents-withdrawn-own = { $name }: Likepersonen trakk samtykket tilbake selv.
consents-given-by = { $name }: { $by } registrerte at likepersonen samtykket.
consents-withdrawn-by = { $name }: { $by } registrerte at samtykket ble trukket tilbake.
consents-given-other = { $name }: Foreningen registrerte at likepersonen samtykket.
consents-withdrawn-other = { $name }: Foreningen registrerte at samtykket ble trukket tilbake.
consent-way-paper = Samtykket ble gitt på papir { $name }.
consent-way-in_person = Samtykket ble gitt i et møte { $name }.
consent-way-phone = Samtykket ble gitt på telefon { $name }.
fault-consents-way = Velg hvordan samtykket ble gitt.
fault-consents-day = Samtykket kan ikke være gitt etter i dag. Se over datoen.
fault-consents-version = Velg versjonen som står under teksten.
fault-consents-language = Velg språket i teksten.
letter-link = Skriv ut et brev med samtykketeksten
letter-title = Samtykke til lister hos partnere: { $name }
letter-none = Det er ingen liste å samtykke til.
letter-agree = Jeg samtykker til dette.
letter-place = Sted og dato
letter-signature = Underskrift
letter-back = Tilbake til samtykke til lister
