# Adding people and their first certification, the access log, and the export and erasure of a person.
person-new = Add a person
person-name = Name
person-email = E-mail address
person-email-hint = Optional. Notices and the invitation are sent here.
person-phone-hint = Optional. Eight digits, or the country's code and the number. Coordinators can call, but we send no notices to phone numbers.
person-chapter = Chapter, for a mentor or coordinator
person-invite = Send an invitation to sign in
person-add = Add
person-same = Is this the same person as { $name }?
person-same-what = The organisation has this name already. If it is the same person, open the one that is recorded, and give the role there. Then nobody is recorded twice.
person-same-open = Same person: open
person-same-ended = { $name }. Has left, or is recorded as deceased
person-another = No, add another person
person-data = Data about the person
person-access = Who has seen or changed the data?
person-data-own = You download your own data on My page. To be erased, ask another administrator.
person-data-operator = Only those who run the service can export and erase the data about this person. Contact them.
person-export-what = The file contains everything that is stored about the person, also who has seen the data. Give it only to the person.
person-export = Download all data
person-export-json = Download for another program (JSON)
person-erase = Erase the person
fault-person-name = Write the name, with at most 200 characters
fault-person-email = Write the e-mail address like name@example.org
fault-person-uninvited = Write an e-mail address to send the invitation

certify = Add a certification
certify-search-title = Who gets a certification?
certify-search = Search for the mentor's name
certify-nobody = No mentor of your chapters matches the search.
certify-new-person = Add a person to { $name }
certify-title = New certification: { $name }
certify-check = Is this right? { $name } is not certified yet
certify-type = What is the certification for?
certify-until = Last valid day
certify-until-hint = Leave this empty if the type has a fixed validity. Then we compute the day from the course.
certify-save = Save the certification
done-certified = Certified: { $name }
fault-certify-type = Choose what the certification is for
fault-certify-held = { $name } has such a certification already. Renew or correct it instead.
chapter-add-mentor = Add a mentor

settings-section-access = Access log
access-title = Access log of { $name }
access-about = Who has seen data about { $name }?
access-by = What has { $name } seen and changed?
access-what = The log shows who has seen, exported or changed data in the organisation, the latest first. It leaves out pages on which people see only their own data. It is kept for one year.
access-all = Show the whole log
access-none = Nothing has been logged yet. It can take some seconds until a new event appears.
access-somebody = somebody who was erased
access-saw = saw data about
access-saw-today = saw the page “Today”, which shows phone numbers
access-saw-list = saw a page or a list
access-list-exported = downloaded a list
access-contacts-exported = downloaded a list with e-mail and phone
access-exported = downloaded all data about
access-changed = sent a form
access-refused = was refused
access-details = { $request }. { $number ->
    [one] One row read.
   *[other] { $number } rows read.
}
access-addresses = { $number ->
    [one] One of them is an address or a phone number.
   *[other] { $number } of them are addresses and phone numbers.
}

erasure-title = Erase { $name }
erasure-final = This cannot be undone.
erasure-deleted = This is deleted
erasure-deleted-identity = name, language, addresses, phone numbers, number in the register, and roles
erasure-deleted-sign-in = logins, devices, invitations and queued e-mails
erasure-deleted-words = evidence and notes, recorded contacts, moves, and what happened to the roles
erasure-deleted-consent = consents to be on partners' lists
erasure-ended = This ends
erasure-ended-what = All certifications are withdrawn, queued notices are not sent, and the person is removed from partners' lists. Nobody is told.
erasure-kept = This stays
erasure-kept-dates = The dates of the certifications and notices, without the name. They show how many were certified on a given day.
erasure-kept-number = A digest of the number in the register, from which nobody can read the number. It keeps an import from adding the person again.
erasure-kept-access = The access log, without the name, for one year.
erasure-before = Do this first
erasure-before-what = Remove the person from your register too. If the person wants a copy of the data, download the file before you erase.
erasure-name = Write the name to confirm: { $name }
erasure-save = Erase the person permanently
erasure-done = The person is erased from { $name }
erasure-no-ledger = Nobody can be erased on this page yet. Those who run the service must first set up the list of erased people, which keeps a backup from bringing them back.
fault-erasure-name = Write the name as it is above the field
