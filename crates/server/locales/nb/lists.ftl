# Listen over sertifiseringer: rekkefølge, dato og sider.

filter-unreachable = Kan ikke nås
filter-declined = Vil ikke ha varsler
filter-on = Status på en senere dato (valgfritt)
filter-on-hint = For eksempel 6.12.2026
filter-on-day = Status { $name }
fault-on-past = Velg dagen i dag eller en senere dato. Listen viser hvordan statusen blir hvis ingen fornyer, ikke hvordan den var.
order = Sorter etter
order-expiry = Siste gyldige dag
order-name = Navn
order-mentor = Likeperson, det mest presserende først
order-too-long = Listen har over { $number } sertifiseringer og er derfor sortert etter siste gyldige dag. Velg et filter for å sortere på en annen måte.
list-total = { $number }
list-total-over = over { $number }
list-found = Viser { $first }–{ $last } av { $total }
list-found-of = Viser noen av { $name }
list-empty = Ingen treff
first-page = Første side
previous-page = Forrige side
printed-title-all = Møteliste for alle lokallagene dine
printed-chapter = Møteliste for { $name }
printed-on = Skrevet ut { $name }.
printed-later = Statusen er slik den blir { $name } hvis ingen fornyer.
printed-state = Utvalg: { $name }.
outlook-found = Viser lokallag { $first }–{ $last } av { $total }, de som først får for få likepersoner, øverst.
