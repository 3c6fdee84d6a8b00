menu-imports = Importer
choose = Velg
imports-title = Importer et register
imports-discarded-title = Filen er forkastet. Ingenting ble importert
imports-intro = Last opp medlemsregisteret eller kurslisten. Du ser hva som blir endret, før noe blir importert.
imports-limited = Du kan importere for lokallagene du koordinerer. Rader for andre lokallag, eller for personer som også hører til andre lokallag, blir avvist.
imports-mapping = Oppsett
imports-no-mapping = Nytt oppsett
imports-header-row = Linjen med kolonnenavn (valgfritt)
imports-header-row-hint = Et tall. Uten tall bruker vi den første linjen.
imports-sheet = Ark i arbeidsboken (valgfritt)
imports-sheet-hint = Navnet på arket, hvis filen har flere.
imports-one = Import { $name }
imports-of-minute = , nr. { $number }: { $summary }
imports-file = Fil
imports-file-hint = CSV, TSV, XLSX, XLSB eller ODS, høyst 20 MB.
imports-next = Last opp og gå videre
imports-list = Tidligere importer (30 dager)
imports-none = Ingenting er importert her de siste 30 dagene.

columns-title = Hva inneholder kolonnene?
columns-intro = Vi har foreslått hva hver kolonne inneholder. Kontroller forslagene.
columns-lost = Filen er lastet opp, men vi vet ikke hvor i filen registeret står. Fortell oss det, så leser vi filen på nytt.
columns-wrong-place = Har vi lest feil sted i filen?
columns-read-again = Les filen på nytt
columns-chapter = Lokallag for rader uten lokallag
columns-chapter-named = Filen har en kolonne for lokallaget. Valget gjelder bare rader der kolonnen er tom, og du kan la det stå.
columns-chapter-hint = Velg lokallaget som alle radene gjelder, hvis ingen kolonne inneholder lokallaget.
columns-no-chapter = Filen har en kolonne for lokallaget
columns-of-file = Kolonnene i filen
columns-column = Kolonnen «{ $name }»
columns-samples = Eksempler: { $name }
columns-empty = Kolonnen er tom i de første radene.
columns-joined = Navnet settes sammen i denne rekkefølgen: { $name }.
columns-more = Flere valg
columns-date-format = Slik er datoene skrevet
columns-date-format-hint = D er dag, M er måned og Y er år. Filen viser ikke hva som stemmer.
columns-type = Type for rader som ikke nevner noen
columns-no-type = Filen har en kolonne for typen
columns-add-chapters = Opprett lokallag som ikke finnes ennå
columns-missing = Sertifiseringer som ikke står i filen lenger
missing-report = Vis dem, og ikke endre noe
missing-suspend = Stans dem midlertidig til de står i filen igjen
missing-withdraw = Trekk dem tilbake
columns-active = Verdier i statuskolonnen som betyr aktiv
columns-active-hint = Skriv semikolon mellom verdiene, for eksempel aktiv; godkjent. Uten verdier gjelder «active».
columns-blank = En tom dato betyr at sertifiseringen ikke utløper
columns-never = Verdier som betyr at sertifiseringen ikke utløper
columns-never-hint = Skriv semikolon mellom verdiene, for eksempel livstid; 31.12.9999.
columns-save-as = Navn på oppsettet (valgfritt)
columns-save-as-hint = Neste gang kan du velge oppsettet i stedet for å fylle ut denne siden.
columns-nothing-yet = Ingenting blir importert nå. På neste side ser du hva som blir endret.
columns-check = Kontroller registeret
field-none = Bruk ikke kolonnen
field-external_id = Nummer i registeret
field-expires_at = Siste gyldige dag
field-issued_at = Utstedt
field-name = Navn
field-email = E-post
field-phone = Telefon
field-language = Språk
field-push_token = Enhet for varsler
field-status = Status
field-suspended_until = Stanset til og med
field-person_id = Personens nummer
field-chapter = Lokallag
field-type = Type
field-replaces = Nummeret som blir erstattet
field-row = Raden

checked-title = { $number ->
    [one] Én rad er kontrollert. Ingenting er importert ennå
   *[other] { $number } rader er kontrollert. Ingenting er importert ennå
}
checked-held-title = Registeret ser uvanlig ut. Ingenting er importert
checked-refused-title = Registeret kan ikke importeres
check-held = Kontroller endringene nedenfor før du importerer. Er noe galt, endrer du kolonnene eller retter filen.
check-nothing-yet = Dette skjer hvis du importerer filen:
check-first = Se på disse først
check-changes = Endringene
check-no-changes = Filen endrer ingenting.
check-more = { $number ->
    [one] og én rad til
   *[other] og { $number } rader til
}
check-rejected = { $number ->
    [one] Én rad kan ikke importeres
   *[other] { $number } rader kan ikke importeres
}
check-rejects-file = Last ned radene med feil (CSV), rett dem og last dem opp igjen
check-undo = Du kan angre importen i 30 dager.
check-of-other = Noen andre har kontrollert denne filen. Før du kan importere den, kontrollerer vi den på nytt for deg.
check-again = Kontroller på nytt
check-import = Importer
check-import-some = Importer { $number } av { $of } rader
check-import-anyway = Importer likevel
check-change-columns = Endre kolonnene
check-unknown-chapter = { $number ->
    [one] Én rad nevner lokallaget «{ $value }», som ikke finnes.
   *[other] { $number } rader nevner lokallaget «{ $value }», som ikke finnes.
}
check-unknown-type = { $number ->
    [one] Én rad nevner typen «{ $value }», som ikke finnes.
   *[other] { $number } rader nevner typen «{ $value }», som ikke finnes.
}
check-shared-expiry = { $number } rader har «{ $value }» i stedet for en dato. Betyr det at sertifiseringen ikke utløper, skriver du verdien under «Endre kolonnene».
check-new-chapters = { $number ->
    [one] Et nytt lokallag blir opprettet: { $name }.
   *[other] Nye lokallag blir opprettet: { $name }.
}
check-missing-kept = Sertifiseringer som mangler i filen, blir ikke endret, fordi noen rader ikke kan importeres.
check-contacts = { $number ->
    [one] Én adresse eller ett telefonnummer kan ikke brukes. Resten av raden blir importert.
   *[other] { $number } adresser eller telefonnumre kan ikke brukes. Resten av radene blir importert.
}
change-added = Nye: { $number }
change-renewed = Fornyes: { $number }
change-corrected = Får tidligere eller rettet dato: { $number }
change-suspended = Blir midlertidig stanset: { $number }
change-reinstated = Settes i kraft igjen: { $number }
change-moved = Flyttes til et annet lokallag: { $number }
change-edited = Får nye opplysninger: { $number }
change-unchanged = Uendret: { $number }
change-missing = Står ikke i filen lenger, og blir ikke endret: { $number }
change-missing-suspend = Står ikke i filen lenger, og blir midlertidig stanset: { $number }
change-missing-withdraw = Står ikke i filen lenger, og blir trukket tilbake: { $number }
change-number = nr. { $name }
change-line = linje { $number }
change-dates = Fra { $before } til { $after }
change-chapters = Fra { $before } til { $after }
change-until = Siste gyldige dag: { $after }
close-title = { $number ->
    [one] Er dette samme person?
   *[other] Er dette samme personer? Det gjelder { $number }
}
close-question = { $name }, nr. { $number }, er ny i filen
close-same = Samme person som { $name } i { $chapters }, nr. { $numbers }
close-other = En annen person med samme navn
close-decide = Lagre svarene og kontroller på nytt
hold-swapped-dates = I { $number } av { $of } datoer som endres, ser dag og måned ut til å ha byttet plass.
hold-rejected-share = { $number } av { $of } rader kan ikke importeres.
hold-moved-share = { $number } av { $of } kjente datoer blir endret.
hold-different-names = { $number } av { $of } personer med flere rader har forskjellige navn.
hold-missing-share = { $number } av { $of } sertifiseringer står ikke i filen lenger.
reject-fault = Feil
reject-field = Linje { $line }, { $field }: { $reason }.
reject-sentence = { $field }: { $reason }.
reject-rest = Resten av raden blir importert.
reject-unnamed = Uten navn
reject-value = «{ $column }»: { $value }
reject-blank = «{ $column }» er tom
reject-date = datoen
reason-import-other-chapter = gjelder et lokallag du ikke koordinerer, eller en person som også hører til et slikt lokallag. Be koordinatoren der eller en administrator om å importere raden
reason-import-own-certification = gjelder din egen sertifisering. Be en annen koordinator eller en administrator om å importere raden
reason = kan ikke brukes. Rett verdien
reason-given-twice = nummeret står også i en annen rad, som gjelder. Ta bort en av dem
reason-blank = mangler. Fyll ut feltet, eller ta bort raden
reason-too-long = er for lang. Gjør teksten kortere
reason-not-a-date = er ikke en dato. Skriv datoen slik: 31.12.2027
reason-the-day-does-not-exist = { $value } finnes ikke. Rett datoen
reason-a-year-of-two-digits = årstallet har bare to sifre. Skriv alle fire
reason-the-date-is-ambiguous-or-does-not-exist = datoen finnes ikke, eller dag og måned kan forveksles. Skriv datoen slik: 31.12.2027
reason-two-of-the-given-date-formats-give-different-days = dag og måned kan forveksles. Velg bare én måte å skrive datoer på
reason-the-year-is-before-1900-or-more-than-50-years-from-now = årstallet er før 1900, eller mer enn 50 år frem. Rett årstallet
reason-before-the-day-of-issue = er før sertifiseringen ble utstedt. Rett en av datoene
reason-a-date-instead-of-text = er en dato, ikke tekst. Endre formatet på cellen
reason-a-spreadsheet-error-instead-of-a-value = er en feil i regnearket. Rett formelen i cellen
reason-a-number-that-a-spreadsheet-has-rounded = er et tall som regnearket har rundet av. Gjør kolonnen om til tekst, og eksporter på nytt
reason-a-national-identity-number-which-certvakt-does-not-need = er et fødselsnummer. Fjern det fra registeret
reason-it-contains-control-characters-or-unreadable-characters = har tegn som ikke kan leses. Skriv verdien på nytt
reason-not-a-phone-number = er ikke et telefonnummer. Rett nummeret
reason-not-a-language-that-certvakt-writes = er ikke et språk vi skriver: nb eller en
reason-not-a-device-token = er ikke en enhet. La feltet stå tomt
reason-unknown-chapter = finnes ikke i foreningen. Rett navnet, eller opprett lokallaget
reason-unknown-type = finnes ikke i foreningen. Rett navnet, eller opprett typen
reason-several-chapters-have-this-name = flere lokallag heter dette. Bruk kortnavnet
reason-several-types-have-this-name = flere typer heter dette. Bruk koden
reason-the-number-of-the-same-row = er nummeret i den samme raden. Skriv nummeret som blir erstattet
reason-the-certification-belongs-to-a-person-with-another-id = sertifiseringen hører til en person med et annet nummer. Kontroller begge numrene
reason-the-person-has-died-or-left = personen er død eller har sluttet. Ta raden ut av registeret, eller registrer at personen er tilbake
reason-the-person-was-erased = personen er slettet. Ta raden ut av registeret
reason-more-fields-than-the-header = har flere felt enn linjen med kolonnenavn. Kontroller skilletegn og anførselstegn
reason-several-lines-with-too-few-fields = går over flere linjer. Kontroller anførselstegnene
reason-the-row-has-no-field-for-this-column = raden er for kort. Kontroller skilletegnene

import-draft = Ikke importert: kolonnene er ikke valgt ennå
import-by = Lastet opp av { $name }
import-by-command = Importert fra kommandolinjen av { $name }
import-by-unknown = Lastet opp av en person som er slettet
import-checking = Blir kontrollert
import-checked = Kontrollert, ikke importert ennå
import-received = Blir importert
import-imported = Importert: { $added } nye, { $renewed } fornyet, { $corrected } rettet, { $rejected } avvist
import-refused = Ikke importert
import-undone = Angret
import-checking-title = Registeret blir kontrollert
import-received-title = Registeret blir importert
import-undoing-title = Importen blir angret
import-imported-title = Registeret er importert
import-refused-title = Registeret ble ikke importert
import-undone-title = Importen er angret
import-wait = Dette kan ta noen minutter. Du kan forlate siden. Resultatet vises her og under «Importer».
import-added = Nye: { $number }
import-updated = Endret: { $number }
import-renewed = Fornyet: { $number }
import-corrected = Rettet dato: { $number }
import-unchanged = Uendret: { $number }
import-duplicate = Rader med et nummer som også står i en annen rad: { $number }
import-rejected = Avviste rader: { $number }
import-new-chapters = { $number ->
    [one] Nytt lokallag: { $name }
   *[other] Nye lokallag: { $name }
}
import-rejects-title = Avviste rader
import-rejects-first = De første avviste radene
import-undo = Angre importen
import-undo-hint = Endringer som er gjort senere, blir ikke angret.
import-undo-refused = Importen kunne ikke angres.
import-undo-deleted = Slettet igjen: { $number }
import-undo-reverted = Satt tilbake: { $number }
import-undo-notified = Rettet, fordi likepersonen allerede har fått varsel: { $number }
import-undo-kept = Beholdt, fordi de er endret senere: { $number }
import-discard = Forkast filen
fault-import = Filen kan ikke importeres. Kontroller kolonnene, eller be om hjelp.
fault-import-not-yours = Du koordinerer ikke lenger alle lokallagene som filen var lastet opp for. Last den opp på nytt.
fault-no-file = Velg en fil.
fault-file-too-long = Filen er større enn 20 MB. Del den opp, eller be om hjelp til å importere den.
fault-import-chapter = Velg lokallaget for alle radene, eller en kolonne for lokallaget.
fault-import-mapping = Velg et oppsett i listen.
fault-import-type = Velg en type, eller en kolonne for typen.
fault-header-row = Skriv nummeret på linjen, for eksempel 3.
fault-field-missing = Velg hvilken kolonne som inneholder «{ $name }».
fault-field-twice = Bare én kolonne kan inneholde «{ $name }».
fault-date-format = Velg hvordan datoene er skrevet.
fault-mapping-name = Skriv et navn med høyst 63 bokstaver og tall.
fault-import-unreadable = Filen kan ikke leses. Prøv å lagre den på nytt.
fault-import-binary = Filen er verken tekst eller en arbeidsbok. Lagre registeret som CSV eller XLSX.
fault-import-mixed-encodings = Noen linjer har et annet tegnsett enn resten. Lagre registeret som UTF-8.
fault-import-empty = Filen er tom. Den første raden må ha kolonnenavn.
fault-import-hidden = Alle ark i arbeidsboken er skjult. Vis arket med registeret.
fault-import-several-sheets = Arbeidsboken har flere ark. Skriv navnet på arket med registeret.
fault-import-unknown-sheet = Filen har ikke dette arket.
fault-import-no-header = Linjen med kolonnenavn er tom eller finnes ikke.
fault-import-row-too-long = En rad er for lang. Det kan mangle et anførselstegn.
fault-import-unclosed-quote = Et anførselstegn i filen blir aldri lukket.
fault-import-too-large = Arbeidsboken er for stor. Lagre registeret som CSV.
fault-import-too-much-memory = Filen er for stor til å leses. Lagre registeret som CSV.
fault-import-too-slow = Filen tar for lang tid å lese. Lagre registeret som CSV.
fault-import-broken = Filen kan ikke leses. Lagre registeret som CSV, og meld fra om filen.
fault-import-held = Registeret ser uvanlig ut, og noe er endret siden det ble kontrollert. Last det opp på nytt.
fault-import-unknown-column = En kolonne finnes ikke i filen. Velg kolonnene på nytt.
