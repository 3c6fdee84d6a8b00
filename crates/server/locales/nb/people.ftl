# The forms that hand over chapters and merge people.
people-search = Søk
people-cut = Flere passer. Skriv mer av navnet for å se dem.

handover = Gi ny koordinator
handover-in = i { $name }
handover-title = Ny koordinator i { $name }
handover-what = Koordinatoren får ansvar for lokallaget og alle lokallag under det. Du kan endre det igjen på samme måte.
handover-search = Søk etter navnet til den nye koordinatoren
handover-nobody = Ingen i organisasjonen passer med søket. Nye personer må først registreres i et lokallag.
handover-successor = Hvem er den nye koordinatoren?
handover-ends = Hvem skal ikke lenger være koordinator?
handover-invite = Send invitasjon til å logge inn
handover-invite-hint = Kryss av hvis den nye koordinatoren ikke har logget inn før. Invitasjonen sendes til e-postadressen vi har.
handover-save = Lagre koordinatorene
handover-uninvited = Invitasjonen ble ikke sendt: Vi har ingen e-postadresse som den nye koordinatoren kan få den til. Legg inn adressen i registeret, og inviter på nytt.
fault-successor = Søk etter den nye koordinatoren, og velg hvem det er.
chapters-handed-title = Lagret for { $name }. Koordinator: { $people }
event-appointed = Ble koordinator i { $after }.
event-relieved = Er ikke lenger koordinator i { $before }.
