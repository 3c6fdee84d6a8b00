# Adding people and their first certification, the access log, and the export and erasure of a person.
person-new = Legg til en person
person-name = Navn
person-email = E-postadresse
person-email-hint = Valgfritt. Varsler og invitasjonen sendes hit.
person-phone-hint = Valgfritt. Åtte siffer, eller landkode og nummer. Koordinatorene kan ringe, men vi sender ikke varsler til telefonnumre.
person-chapter = Lokallag, for en likeperson eller koordinator
person-invite = Send invitasjon til å logge inn
person-add = Legg til
person-same = Er dette samme person som { $name }?
person-same-what = Navnet finnes allerede i foreningen. Er det samme person, åpner du den som er registrert, og gir rollen der. Da blir ingen registrert to ganger.
person-same-open = Samme person: åpne
person-same-ended = { $name }. Har sluttet, eller er registrert som død
person-another = Nei, legg til en annen person
person-data = Opplysninger om personen
person-access = Hvem har sett eller endret opplysningene?
person-data-own = Dine egne opplysninger laster du ned på Min side. Vil du slettes, må en annen administrator gjøre det.
person-data-operator = Opplysningene om denne personen kan bare de som drifter tjenesten, hente ut og slette. Ta kontakt med dem.
person-export-what = Filen inneholder alt som er lagret om personen, også hvem som har sett opplysningene. Gi den bare til personen selv.
person-export = Last ned alle opplysninger
person-export-json = Last ned for et annet program (JSON)
person-erase = Slett personen
fault-person-name = Skriv navnet, med høyst 200 tegn
fault-person-email = Skriv e-postadressen som navn@example.org
fault-person-uninvited = Skriv en e-postadresse for å sende invitasjonen

certify = Legg til en sertifisering
certify-search-title = Hvem skal få en sertifisering?
certify-search = Søk etter navnet til likepersonen
certify-nobody = Ingen likeperson i lokallagene dine passer med søket.
certify-new-person = Legg til en person i { $name }
certify-title = Ny sertifisering: { $name }
certify-check = Stemmer dette? { $name } er ikke sertifisert ennå
certify-type = Hva gjelder sertifiseringen?
certify-until = Siste gyldige dag
certify-until-hint = La feltet stå tomt når typen har fast gyldighet. Da regner vi ut dagen fra kurset.
certify-save = Lagre sertifiseringen
done-certified = Sertifisert: { $name }
fault-certify-type = Velg hva sertifiseringen gjelder
fault-certify-held = { $name } har allerede en slik sertifisering. Forny eller rett den i stedet.
chapter-add-mentor = Legg til en likeperson

settings-section-access = Innsynslogg
access-title = Innsynslogg for { $name }
access-about = Hvem har sett opplysninger om { $name }?
access-by = Hva har { $name } sett og endret?
access-what = Loggen viser hvem som har sett, hentet ut eller endret opplysninger i foreningen, de siste først. Sider der folk bare ser sitt eget, er ikke med. Loggen lagres i ett år.
access-all = Vis hele loggen
access-none = Ingenting er logget ennå. Det kan ta noen sekunder før en ny hendelse vises.
access-somebody = noen som er slettet
access-saw = så opplysninger om
access-saw-today = så siden «I dag», som viser telefonnumre
access-saw-list = så en side eller liste
access-list-exported = lastet ned en liste
access-contacts-exported = lastet ned en liste med e-post og telefon
access-exported = lastet ned alle opplysninger om
access-changed = sendte et skjema
access-refused = ble avvist
access-details = { $request }. { $number ->
    [one] Én rad lest.
   *[other] { $number } rader lest.
}
access-addresses = { $number ->
    [one] Én av dem er en adresse eller et telefonnummer.
   *[other] { $number } av dem er adresser og telefonnumre.
}

erasure-title = Slett { $name }
erasure-final = Dette kan ikke angres.
erasure-deleted = Dette slettes
erasure-deleted-identity = navn, språk, adresser, telefonnumre, nummer i registeret og roller
erasure-deleted-sign-in = innlogginger, enheter, invitasjoner og e-poster som venter
erasure-deleted-words = dokumentasjon og notater, registrerte kontakter, flyttinger og hva som har skjedd med rollene
erasure-deleted-consent = samtykker til å stå på partnernes lister
erasure-ended = Dette avsluttes
erasure-ended-what = Alle sertifiseringer trekkes tilbake, varsler som venter, blir ikke sendt, og personen tas av partnernes lister. Ingen får beskjed.
erasure-kept = Dette blir igjen
erasure-kept-dates = Datoene i sertifiseringene og varslene, uten navn. De viser hvor mange som var sertifisert på en bestemt dag.
erasure-kept-number = Et avtrykk av nummeret i registeret, som ikke kan leses tilbake. Det hindrer at en import legger personen inn igjen.
erasure-kept-access = Innsynsloggen, uten navnet, i ett år.
erasure-before = Gjør dette først
erasure-before-what = Fjern personen fra medlemsregisteret deres også. Skal personen ha en kopi av opplysningene, laster du ned filen før du sletter.
erasure-name = Skriv navnet for å bekrefte: { $name }
erasure-save = Slett personen for godt
erasure-done = Personen er slettet fra { $name }
erasure-no-ledger = Ingen kan slettes på denne siden ennå. De som drifter tjenesten, må først sette opp listen over slettede personer, som hindrer at en sikkerhetskopi bringer dem tilbake.
fault-erasure-name = Skriv navnet slik det står over feltet
