# Whether notices reach a mentor, the correction of their addresses, and recorded contacts.
number-of = nummer { $name }

unreached-none = Varsler når ikke fram. Det er ikke registrert noen e-postadresse eller enhet med appen.
unreached-no-email = Varsler når ikke fram. Det er ikke registrert noen e-postadresse.
unreached-declined = Varsler når ikke fram. Likepersonen har sagt nei til varsler.
unreached-refused = { $number ->
    [one] Varsler når ikke fram. Adressen tar ikke imot e-post: { $name }.
   *[other] Varsler når ikke fram. Adressene tar ikke imot e-post: { $name }.
}
unreached-refused-own = Varsler når ikke fram. Adressen som likepersonen selv har registrert, tar ikke imot varsler.
unreached-no-phone = Det er heller ikke registrert noe telefonnummer.
unreached-again = Et varsel nådde ikke fram. Det blir sendt på nytt til adressene som er registrert nå.
unreached-next = Neste varsel skal sendes { $date } ({ $stage }), men når ikke fram.
unreached-ask = Likepersonen har også en annen rolle. Be en administrator om å rette adressene.
delivery-again = Nådde ikke fram, og blir sendt på nytt
delivery-obsolete = Blir ikke sendt, fordi det ikke lenger trengs

action-contact-points = Rett e-post eller telefon
contact-points-title = E-post og telefon: { $name }
contact-points-present = Registrert nå
contact-points-none = Ingen adresser er registrert.
contact-points-own-email = E-postadresse som vises bare for likepersonen
contact-points-own-push = Appen på en telefon eller et nettbrett
contact-points-own = Lagt til av likepersonen selv, som også må fjerne den
contact-points-declined = Likepersonen har sagt nei til slike varsler
contact-points-refused = Tok ikke imot varselet
contact-points-register = Står det noe annet i registeret, kan neste import erstatte adressene her. Rett dem i registeret også.
contact-points-new = Legg til eller rett
contact-points-hint-email = For eksempel navn@example.org. Kan likepersonen logge inn fra før, brukes adressen bare til varsler.
contact-points-hint-phone = Åtte sifre, eller landkode først, for eksempel +46. Nummeret brukes til å ringe, ikke til varsler.
contact-points-replaces-email = Hvilken adresse erstatter den?
contact-points-replaces-phone = Hvilket nummer erstatter det?
contact-points-replaces-none = Ingen. Behold dem som står der
contact-points-save = Lagre
contact-points-back = Tilbake til sertifiseringen
fault-address-none = Skriv en e-postadresse eller et telefonnummer.
fault-address-email = Skriv en e-postadresse, for eksempel navn@example.org.
fault-address-phone = Skriv et telefonnummer med åtte sifre, eller med landkode først.
fault-addresses-email = Det er allerede fem e-postadresser. Velg hvilken den nye skal erstatte.
fault-addresses-phone = Det er allerede fem telefonnumre. Velg hvilket det nye skal erstatte.
done-email_added = E-postadressen er lagret: { $name }
done-email_removed = E-postadressen er fjernet: { $name }
done-phone_added = Telefonnummeret er lagret: { $name }
done-phone_removed = Telefonnummeret er fjernet: { $name }
done-addresses_added = E-postadressen og telefonnummeret er lagret: { $name }
done-retried = Adressen blir prøvd på nytt: { $name }
done-known = Ingenting er endret: { $name }
event-email_added = En e-postadresse ble lagt til.
event-email_removed = En e-postadresse ble fjernet.
event-phone_added = Et telefonnummer ble lagt til.
event-phone_removed = Et telefonnummer ble fjernet.

contact-call = Ring { $name }
contact-no-phone = Det er ikke registrert noe telefonnummer.
contact-note = Hva ble sagt? (valgfritt)
contact-note-hint = Vises i historikken, som likepersonen også kan lese. Skriv ikke noe om helse.
contact-said = Sagt: { $name }
contact-undo = Fjern kontakten
done-contact-undone = Kontakten er fjernet: { $name }
fault-contact-note = Teksten er for lang, eller inneholder tegn som ikke kan vises.
today-recorded-see = Se kontakten, eller fjern den
today-stops = Varslene fortsetter til sertifiseringen er trukket tilbake.
today-stops-withdraw = Trekk tilbake sertifiseringen
put-off = Kontakt på et senere tidspunkt
put-off-title = { $number ->
    [0] Ingen skal kontaktes på et senere tidspunkt
    [one] Én skal kontaktes på et senere tidspunkt
   *[other] { $number } skal kontaktes på et senere tidspunkt
}
put-off-what = Noen har registrert en kontakt og satt en dato for den neste. Fram til da vises saken ikke under «I dag».
put-off-cut = Siden viser de { $number } første.

action-letter = Skriv ut et brev
mentor-letter-title = Brev til { $name }
mentor-letter-how = Skriv ut siden, og send brevet. Bare brevet kommer med på papiret.
mentor-letter-back = Tilbake til sertifiseringen
mentor-letter-none = Sertifiseringen har ingen sluttdato å skrive om, eller den er midlertidig stanset eller trukket tilbake.
mentor-letter-subject = Sertifiseringen din
mentor-letter-regards = Hilsen
