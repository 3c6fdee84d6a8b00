# Partners, faults of their listings, and courses that they report.
partners-title = Partners
partners-all = Partners and their listings
partners-what = A partner shows mentors whom people can contact. This page shows whether the listings are right.
partners-none = The organisation has no partners.

partner-never-on = Not turned on yet.
partner-off = Off since { $name }.
partner-stopped-since = Stopped since { $name }.
partner-needs = { $number ->
    [one] One problem needs attention.
   *[other] { $number } problems need attention.
}
partner-staging = On in the test environment. People do not see the listing.
partner-works = Works as it should.
partner-needs-title = { $number ->
    [one] { $name }: one problem needs attention
   *[other] { $name }: { $number } problems need attention
}
partner-works-title = { $name }: everything is in order
partner-off-title = { $name } is off
partner-settled-title = The report is settled: { $name }
partner-resumed-title = Sending to { $name } has resumed
partner-stopped-contract = The partner did not respond as agreed. It therefore gets no changes until an administrator resumes sending.
partner-stopped-sign-in = The partner refuses our sign-in. When that is solved, an administrator must resume sending.
partner-stopped-outage = The partner does not answer. We try again by ourselves, and send the changes when it answers.
partner-shown = { $number ->
    [0] On { $name }, the listing showed none of our mentors.
    [one] On { $name }, the listing showed one of our mentors.
   *[other] On { $name }, the listing showed { $number } of our mentors.
}
partner-since = Since { $name }.
partner-key = Key at the partner: { $name }

removals = Should not be on the listing
removals-what = These may be on the partner’s listing although they should not be. The one who has been there longest comes first.
removals-none = Nobody whom you may see is listed wrongly.
removals-next = Show more who should not be on the listing
removal-since = since { $name }
removal-age = { $number ->
    [0] Since today
    [one] For 1 day
   *[other] For { $number } days
}
removal-still-shown = The listing still shows the mentor. We send the message again.
removal-accepted = The partner has the message. The listing was not read since.
removal-waits = The partner has not accepted the message yet.
removal-without-consent = Does not consent, or is excluded
removal-gone = No certification that you may see

reports = Reports of completed courses to settle
reports-what = The partner has reported these courses, but they contradict our data. The oldest comes first.
reports-none = No reports are waiting for you.
reports-next = Show more reports
report-completed = The course was completed on { $name }.
report-key = Unknown mentor with the key { $name }
report-own = The report is about you. Somebody else must settle it.
report-mentor-unknown = Nobody here is enrolled with the key at the partner.
report-course-unknown = The course belongs to no certification.
report-no-certification = The mentor has no certification of this type.
report-several-certifications = The mentor has several certifications of this type.
report-suspended = The certification is suspended.
report-withdrawn = The certification was withdrawn.
report-certification-withdrawn = The certification was withdrawn.
report-in-future = The course was completed after today.
report-before-issue = The course was completed before the certification was issued.
report-too-early = The type cannot be renewed that early.
report-would-shorten = The certification is already valid for longer.
report-lapsed-since = The certification would have lapsed even after the renewal.
report-renewed-since = The certification was renewed recently. It may be the same course.
report-other-date = The partner’s last valid day differs from the one that our rule gives.
report-no-date = The partner gives no last valid day, and the type has no rule.
report-renewal-date = The date is not possible.
report-history-full = The certification was changed so often that it cannot be changed again.
report-other = The report could not lead to a renewal.

settle = Settle
settle-of = { $name }
settlement-title = Settle a report about { $name }
settlement-unknown-title = Settle a report about an unknown mentor
settlement-key = Key at the partner
settlement-until = The partner’s last valid day
settlement-received = Reported
settlement-reason = Why it waits
settlement-unknown = Find the certification if you know whom the report is about. Otherwise you can dismiss the report.
settlement-search = Search for the mentor, by name or number
settlement-nobody = Nobody in the organisation matches the search.
settlement-none = The mentor has no certification that you can renew. You can dismiss the report, or wait until that is corrected.
settlement-decision = What do you want to do?
settlement-accept = Renew the certification
settlement-dismiss = Dismiss the report
settlement-certification = Which certification?
settlement-date = Last valid day (optional)
settlement-date-by-rule = If you leave this empty, the rule of the type gives the day.
settlement-date-of-partner = If you leave this empty, the partner’s day applies: { $name }.
settlement-check = Is this right? The report is not settled yet
settlement-dismiss-what = The certification stays as it is. This cannot be undone, but you can always renew the certification yourself.
settlement-save = Save the decision
fault-settlement-decision = Choose whether to renew the certification or to dismiss the report.
fault-settlement-certification = Choose which certification to renew.

resume = Resume sending
resume-title = Resume sending to { $name }?
resume-effects = This is sent to the partner when sending resumes
resume-delists = { $number ->
    [0] Nobody is removed from the listing.
    [one] One mentor is removed from the listing.
   *[other] { $number } mentors are removed from the listing.
}
resume-lists = { $number ->
    [0] Nobody is added to the listing.
    [one] One mentor is added to the listing.
   *[other] { $number } mentors are added to the listing.
}
resume-held = If more than { $number } are to be removed at once, an administrator must approve that before they are removed.
resume-what = We first test whether the partner responds as agreed. This may take some seconds. If it does not, sending stays stopped.
resume-differences = What the partner answered
fault-resume = The partner still does not respond as agreed. Sending stays stopped.
fault-resume-untested = The partner could not be tested from here now. Sending stays stopped. Try again, or ask the operator of the service.

# Consent that a coordinator records for a mentor.
action-listing-consents = Record consent to lists
consents-title = Consent to lists: { $name }
consents-what = A partner can have a public list of peer mentors. If the mentor has consented on paper, in person or by phone, record it here. The mentor then gets an e-mail about it.
consents-nowhere = The mentor is not enrolled at any partner.
consents-none = The mentor has not consented, and should not be on the list.
consents-excluded = The mentor was taken off the list until they consent again.
consents-listed = The mentor consented on { $name }, and should be on the list.
consents-not-listed = The mentor consented on { $name }, but should not be on the list now. The certification may not be valid.
consents-way = How was the consent given?
consents-way-paper = On paper
consents-way-in_person = In person
consents-way-phone = By phone
consents-day = On which day was the consent given?
consents-day-hint = Day, month and year, for example 24.12.2026.
consents-version = Version of the text
consents-version-hint = It is below the text in the letter.
consents-language = Language of the text
consents-give = Record consent to the list at { $partner }
consents-withdraw = Record that consent to { $partner } is withdrawn
consents-withdraw-what = If the mentor withdraws their consent, we ask the partner at once to take them off the list.
consents-done-consent = The consent is recorded: { $name }
consents-done-withdraw = Recorded that the consent is withdrawn: { $name }
consents-unnotified = The mentor has no e-mail address, so we could not tell them. Send a letter about it.
consents-record = What is recorded
consents-given-own = { $name }: The mentor consented themselves.
consents-withdrawn-own = { $name }: The mentor withdrew the consent themselves.
consents-given-by = { $name }: { $by } recorded that the mentor consented.
consents-withdrawn-by = { $name }: { $by } recorded that the consent was withdrawn.
consents-given-other = { $name }: The organisation recorded that the mentor consented.
consents-withdrawn-other = { $name }: The organisation recorded that the consent was withdrawn.
consent-way-paper = The consent was given on paper on { $name }.
consent-way-in_person = The consent was given in person on { $name }.
consent-way-phone = The consent was given by phone on { $name }.
fault-consents-way = Choose how the consent was given.
fault-consents-day = The consent cannot have been given after today. Check the date.
fault-consents-version = Choose the version that is below the text.
fault-consents-language = Choose the language of the text.
letter-link = Print a letter with the text of the consent
letter-title = Consent to lists at partners: { $name }
letter-none = There is no list to consent to.
letter-agree = I consent to this.
letter-place = Place and date
letter-signature = Signature
letter-back = Back to consent to lists
