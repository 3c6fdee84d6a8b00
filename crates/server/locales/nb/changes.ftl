# The person's own changes and contacts of the last day.
my-changes = Endringene dine det siste døgnet
my-changes-title = { $number ->
    [0] Du har ikke endret eller registrert noe det siste døgnet
    [one] Du har registrert én endring eller kontakt det siste døgnet
   *[other] Du har registrert { $number } endringer og kontakter det siste døgnet
}
my-changes-what = Her finner du sertifiseringene du har fornyet, rettet, stanset eller satt i kraft igjen, og kontaktene du har registrert. Du kan angre i 24 timer. En endring kan angres så lenge ingen har endret sertifiseringen etterpå.
my-changes-several = { $number ->
    [one] én sertifisering
   *[other] { $number } sertifiseringer på én gang
}
my-changes-made = Endret { $name }.
my-changes-undone = Angret { $name }.
my-changes-before = Siste gyldige dag før endringen: { $name }.
my-changes-before-never = Før endringen hadde sertifiseringen ingen sluttdato.
my-changes-before-suspended = Før endringen var sertifiseringen midlertidig stanset.
my-changes-since = Sertifiseringen er endret etterpå, så denne endringen kan ikke angres.
my-changes-refused = Endringen ble ikke gjort.
my-changes-undo = Angre
my-changes-undo-of = endringen for { $name }
my-changes-undo-several = { $number ->
    [one] én endring
   *[other] alle { $number } endringene
}
my-changes-undo-contact = kontakten med { $name }
my-changes-contact = Kontakt registrert { $time }: { $outcome }.
my-changes-contact-next = Neste kontakt { $name }.
my-changes-cut = Siden viser de { $number } siste.
my-changes-corrected = { $number ->
    [one] Et varsel rakk å gå ut. Likepersonen får en rettelse på e-post.
   *[other] { $number } varsler rakk å gå ut. Likepersonene får en rettelse på e-post.
}
my-changes-uncorrected = { $number ->
    [one] Et varsel rakk å gå ut, og likepersonen har ingen e-postadresse vi kan rette det på. Ta kontakt.
   *[other] { $number } varsler rakk å gå ut til likepersoner som ikke har noen e-postadresse vi kan rette det på. Ta kontakt med dem.
}
