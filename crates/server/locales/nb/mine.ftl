# The pages about oneself, below «Min side».
mine-more = Mer om deg
mine-back = Til «Min side»

mine-emails = E-post til deg
mine-emails-what = Varsler og oversikter på e-post går til adressene her. Lenker til innlogging går ikke til en adresse som andre la til etter at du kunne logge inn.
mine-emails-managers = Adresser fra et register kan bare foreningen rette. Gi beskjed til en administrator i foreningen hvis en av dem er feil.

mine-notices-title = Varsler du har fått
mine-notices-what = Dette er varslene om sertifiseringene dine, de nyeste først. Varsler er lagret i minst 180 dager.
mine-notices-none = Du har ikke fått noen varsler.
mine-notices-cut = Siden viser de { $number } nyeste. Er det et eldre varsel du lurer på, åpner du sertifiseringen det gjelder, eller laster ned dataene dine.

channels-title = Slik når varslene deg
channels-choice = Hvor vil du ha varsler?
channels-choice-what = Valget gjelder varsler om at en sertifisering snart utløper, fra alle foreninger. Du kan endre det når du vil. E-post du trenger for å logge inn, får du uansett.
channels-legend = Send meg varsler
channels-email = på e-post
channels-push = i appen
channels-email-reach = { $number ->
    [0] Vi har ingen e-postadresse til deg.
    [one] Vi har én e-postadresse til deg.
   *[other] Vi har { $number } e-postadresser til deg.
}
channels-push-reach = { $number ->
    [0] Vi kjenner ingen enhet med appen.
    [one] Vi kjenner én enhet med appen.
   *[other] Vi kjenner { $number } enheter med appen.
}
channels-save = Lagre valgene
channels-nobody = Ingen varsler når deg nå. Når en sertifisering nærmer seg utløp, ser koordinatoren det og tar kontakt med deg.
channels-chosen = Lagret: hvor du vil ha varsler
channels-added = Lagret: telefonnummer
channels-removed = Fjernet
channels-devices = Enheter
channels-no-device = Vi kjenner ingen enhet med appen. Logg inn i appen for å få varsler der.
channels-addresses = Adresser
channels-addresses-what = Adresser fra et register kan bare foreningen rette. Gi beskjed til koordinatoren din hvis en av dem er feil.
channels-no-address = Vi har ingen e-postadresse eller noe telefonnummer til deg.
channels-of-email = E-post { $name }
channels-of-phone = Telefon { $name }
channels-of-push = Enhet lagt til { $name }
channels-of-register = Fra registeret til { $name }
channels-own = Din egen, lagt til { $name }
channels-remove = Fjern { $name }
channels-phone-new = Legg til telefonnummer
channels-phone = Telefonnummer
channels-phone-hint = Åtte siffer, eller landkode og nummer. Koordinatorene i lokallagene som har sertifisert deg, ser nummeret og kan ringe deg. Vi sender ikke varsler til telefonnumre.
channels-phone-add = Legg til nummeret
fault-phone = Skriv et telefonnummer med åtte siffer, for eksempel 912 34 567, eller med landkode, for eksempel +46 70 123 45 67.
fault-phones = Du har fem telefonnumre. Fjern ett av dem før du legger til et nytt.

calendar-all = Last ned kalenderfil med påminnelser
calendar-file = Kalenderfil
calendar-of = for { $name }
calendar-hint = Filen legger siste gyldige dag inn i kalenderen din, med en påminnelse 30 dager før. Tittelen er nøytral, men beskrivelsen nevner sertifiseringen.
calendar-title = Påminnelse
calendar-details = Siste gyldige dag: { $name }

export-title = Last ned dataene dine
export-hint = Filen inneholder alt som er lagret om deg, også når noen har sett på det. Lagre den et trygt sted. Navnene på dem som har sett på det, er ikke med. Spør foreningen hvis du trenger dem.
export-text = Last ned som tekst
export-json = Last ned som JSON, for andre programmer

listings-title = Lister hos partnere
listings-what = En partner kan ha en offentlig liste over likepersoner. Du står bare på en slik liste når du har samtykket, og så lenge sertifiseringen er gyldig.
listings-none = Ingen partner har en liste som du kan stå på.
listings-of = { $partner }, for { $organisation }
listings-no-consent = Du har ikke samtykket, og skal ikke stå på listen.
listings-listed = Du samtykket { $name }, og skal stå på listen.
listings-not-listed = Du samtykket { $name }, men skal ikke stå på listen nå. Det kan være fordi du ikke har en gyldig sertifisering, eller fordi en administrator har tatt deg av listen.
listings-consent-text = Ved å samtykke sier du ja til at { $organisation } gir opplysninger om deg til { $partner }, og at de vises på en offentlig liste som alle kan se. Det kan da bli kjent at du er likeperson, og det kan si noe om helsen din. Du kan trekke samtykket tilbake når som helst.
listings-consent = Samtykk til listen hos { $partner }
listings-withdraw = Trekk tilbake samtykket til { $partner }
listings-withdraw-what = Trekker du samtykket tilbake, ber vi partneren straks om å ta deg av listen.
listings-done-consent = Du har samtykket
listings-done-withdraw = Du har trukket samtykket tilbake, og blir tatt av listen nå
listings-record = Det du har bestemt
listings-given-own = { $name }: Du samtykket.
listings-withdrawn-own = { $name }: Du trakk samtykket tilbake.
listings-given-other = { $name }: Samtykket ble registrert av andre på dine vegne.
listings-withdrawn-other = { $name }: Samtykket ble trukket tilbake av andre enn deg.
listings-given-by = { $name }: { $by } registrerte på dine vegne at du samtykket.
listings-withdrawn-by = { $name }: { $by } registrerte på dine vegne at du trakk samtykket tilbake.
listings-text = Tekst: versjon { $version }, { $language }.
language-nb = bokmål
language-en = engelsk
fault-consent-text = Teksten om samtykket er endret. Les den på nytt, og samtykk igjen hvis du fortsatt vil.
fault-unproven = Vi kan ikke være sikre nok på at innloggingen er din. Logg inn på en annen måte enn med lenke på e-post, eller be to administratorer bekrefte e-postadressen din.
