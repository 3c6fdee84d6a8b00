skip = Skip to the content
menu = Main menu
menu-today = Today
menu-certifications = Certifications
menu-mine = My page
role-mentor = mentor
role-coordinator = coordinator
role-org_admin = administrator
refused-title = Error: { $name }
next = Next: check
next-page = Next page
cancel = Cancel

date = { $day } { $month } { $year }
long-date = { $weekday } { $date }
date-and-time = { $date } at { $time }
month-1 = January
month-2 = February
month-3 = March
month-4 = April
month-5 = May
month-6 = June
month-7 = July
month-8 = August
month-9 = September
month-10 = October
month-11 = November
month-12 = December
weekday-1 = Monday
weekday-2 = Tuesday
weekday-3 = Wednesday
weekday-4 = Thursday
weekday-5 = Friday
weekday-6 = Saturday
weekday-7 = Sunday
today = today
tomorrow = tomorrow
yesterday = yesterday
in-days = in { $number } days
days-ago = { $number } days ago
never-expires = Does not expire

certifications-title = Certifications
certifications-filtered-title = Certifications: { $name }
certifications-none = There are no certifications here yet. They appear when the register is imported.
certifications-none-match = No certification matches. Remove a filter to see more.
filter-text = Name or number in the register
filter-chapter = Chapter
filter-type = Type
filter-state = Status
filter-all = All
filter-show = Show certifications
filters-active = Active filters
filter-remove = Remove the filter
search-for = “{ $name }”
filter-valid = All valid
filter-renewal = Need renewal (expiring soon or recently lapsed)
filter-due = Expiring soon (within { $number ->
    [one] one day
   *[other] { $number } days
})
filter-due-between = Expiring soon (within { $first } to { $number } days, depending on the type)
filter-expired = Recently lapsed
filter-lapsed = All lapsed
filter-suspended = Suspended
filter-withdrawn = Withdrawn
state-valid = Valid
state-due = Expiring soon
state-expired = Recently lapsed
state-lapsed = Lapsed
state-suspended = Suspended
state-withdrawn = Withdrawn
person-erased-name = Erased person
person-unnamed = No name

fact-chapter = Chapter
fact-type = Type
fact-number = Number in the register
fact-issued = Issued
fact-suspended-until = Suspended until
fact-valid-until = Last valid day
fact-completed = Course completed
fact-valid-before = Last valid day now
fact-valid-after = Last valid day after the change
fact-evidence = Evidence
fact-note = Note
evidence-hint = Write a reference only, for example the number of a course certificate.
note-hint = The note stays in the history. Do not write about anybody's health.
own-certification = This is your own certification, so you cannot change it. Ask another coordinator or an administrator.
next-stage = Next notice: { $date } ({ $stage }).
stage-warning = { $number ->
    [one] one day before expiry
   *[other] { $number } days before expiry
}
stage-expired = after expiry

actions = What do you want to do?
action-renew = Renew
action-correct = Correct the last valid day
action-suspend = Suspend
action-reinstate = Reinstate
action-withdraw = Withdraw
action-renew-title = Renew: { $name }
action-correct-title = Correct the last valid day: { $name }
action-suspend-title = Suspend: { $name }
action-reinstate-title = Reinstate: { $name }
action-withdraw-title = Withdraw: { $name }
action-renew-check = Is this right? The renewal for { $name } is not saved yet
action-correct-check = Is this right? The new date for { $name } is not saved yet
action-withdraw-check = Withdraw the certification of { $name }? It is not withdrawn yet
action-renew-save = Save the renewal
action-correct-save = Save the date
action-withdraw-save = Withdraw the certification
action-renew-date = When was the course completed?
action-renew-date-hint = Day, month and year, for example 3.2.2026
action-renew-early = Renew now, although it is earlier than the type allows
action-correct-date = Last valid day
action-correct-date-hint = Day, month and year, for example 24.12.2028
action-suspend-date = Last day of the suspension (optional)
action-suspend-date-hint = Day, month and year, for example 24.12.2026. Without a date, the suspension lasts until somebody reinstates the certification.
check-title = Check before you save
check-change = Go back and change
done-renewed = Renewed: { $name }
done-corrected = Last valid day corrected: { $name }
done-suspended = Suspended: { $name }
done-reinstated = Reinstated: { $name }
done-withdrawn = Withdrawn: { $name }

faults-title = Something needs correcting
fault-date-none = This date does not exist. Check the day and the month.
fault-date-form = Write the date as day, month and year, for example 24.12.2026.
fault-date-year = The year is missing. Write it as well, for example 6.12.2026.
fault-date-missing = Enter a date.
fault-changed = Somebody else changed the certification in the meantime. Check the current details, and try again.
fault-completed-later = The course cannot have been completed after today.
fault-completed-early = { $name } is too long ago.
fault-already-lapsed = With this date, the certification would already have lapsed, on { $name }. Enter a later date.
fault-unchanged = The certification is already valid until this date. Enter another date.
fault-suspension-end = The last day of the suspension must be today or later, and at most { $number } years from now.
fault-before-issue = The last valid day cannot be before the certification was issued, { $name }.
fault-out-of-range = The date is too long ago, or more than { $number } years from now.
fault-early = The certification can be renewed from { $name }. Tick the box to renew it now.
fault-no-rule = The type has no fixed validity. Enter the last valid day.
fault-lapsed = The certification has lapsed. Renew it instead.
fault-withdrawn = The certification was withdrawn. If that was a mistake, reinstate it first.
fault-erased = The person was erased, so the certification cannot be changed.
fault-words = The evidence or the note is too long, or has characters that cannot be shown.

timeline = History
timeline-empty = Nothing has happened yet.
event-renewed = Renewed. Last valid day before: { $before }. Now: { $after }.
event-corrected = The date was corrected. Last valid day before: { $before }. Now: { $after }.
event-suspended = Suspended.
event-reinstated = Reinstated.
event-withdrawn = Withdrawn.
event-undone = The change was undone. Last valid day: { $after }.
event-by = Recorded by { $name }
event-source-command = From the command line
event-source-portal = Reported by a partner
event-completed = Course completed on { $name }
event-evidence = Evidence: { $name }
event-note = Note: { $name }
event-erased = The note was erased
event-notice = Notice: { $name }
delivery-pending = Waiting to be sent
delivery-claimed = Being sent
delivery-delivered = Sent
delivered-email = Sent by e-mail
delivered-fcm = Sent to the app
delivered-file = Written to a file
delivery-unreachable = Could not be sent: no address works
delivery-cancelled = Not sent, because it was no longer true

today-title = { $number ->
    [one] One thing needs you
   *[other] { $number } things need you
}
today-ahead = In addition, { $number ->
    [one] one certification expires within a month. It is
   *[other] { $number } certifications expire within a month. They are
} further down.
today-recorded-title = { $number ->
    [0] The contact with { $name } is recorded. Nothing else needs you now
    [one] The contact with { $name } is recorded. One thing needs you
   *[other] The contact with { $name } is recorded. { $number } things need you
}
today-recorded-until = { $outcome }. This is not shown here before { $day }.
today-nothing-title = Nothing needs you now
today-nothing = This page shows certifications that lapsed recently, mentors whom notices do not reach, and certifications that expire within 30 days.
today-empty = When there are certifications, this page shows who needs you. Import a register, or add them one by one:
today-order = The most urgent are at the top.
today-expired = Recently lapsed ({ $number })
today-unreachable = Cannot be reached ({ $number })
today-week = Expiring within seven days ({ $number })
today-month = Expiring in 8 to 30 days ({ $number })
today-no-phone = No phone
today-not-lapsed = Those that lapsed long ago are not on this page.
today-lapsed = See all lapsed certifications
today-more = Not all are shown here. See all certifications
today-chapters = Choose a chapter
today-all-chapters = All chapters
today-held = The notices of the night of { $name } are waiting for approval, because they are unusually many.
today-partner-stopped = Sending changes to { $partner } has stopped ({ $organisation }). Administrators follow it up.
action-contact = Record a contact
action-contact-title = Record a contact with { $name }
contact-outcome = What happened?
contact-reached = Spoke with the mentor
contact-no_answer = No answer
contact-letter_sent = A letter was sent
contact-booked = The mentor is registered for a course
contact-stops = The mentor does not want to continue
contact-reached-on = Last contact on { $name }: spoke with the mentor
contact-no_answer-on = Last contact on { $name }: no answer
contact-letter_sent-on = Last contact on { $name }: a letter was sent
contact-booked-on = Last contact on { $name }: registered for a course
contact-stops-on = Last contact on { $name }: does not want to continue
contact-next = When should somebody get in touch again?
contact-next-hint = Day, month and year, for example 24.12.2026. Today is { $name }. This is not shown on “Today” before the date that you write. If the mentor does not want to continue, the date is not used.
contact-until = Next contact { $name }
fault-outcome = Choose what happened.
fault-next-past = The date must be after today, and at most { $number } years from now.
address-email = E-mail
address-phone = Phone

mine-title = My page
mine-certifications = My certifications
mine-none = You hold no certifications here.

menu-runs = Nightly notices
update-status = Update status
runs-title = Nightly notices
runs-held-title = { $number ->
    [one] The notices of one night wait for approval
   *[other] The notices of { $number } nights wait for approval
}
runs-approved-title = The notices are approved and will be sent
runs-running-title = The notices are approved and will soon be sent
runs-running = First they are recorded, which usually takes less than a minute. Then they are sent. You may leave this page; the result will be here.
runs-held = { $number ->
    [one] One notice of the night of { $date } is not sent
   *[other] { $number } notices of the night of { $date } are not sent
}
runs-held-approved = { $number ->
    [one] The notice of the night of { $date } is approved
   *[other] The { $number } notices of the night of { $date } are approved
}
runs-held-checking = The night of { $date } is being checked again
runs-held-why = These are more than the limit, which is { $number }. If a mistake in the register causes them, correct it first.
runs-of-stage = Notices { $stage }: { $number }
runs-approve-hint = If the notices are right, approve them. They are then sent.
runs-approve = { $number ->
    [one] Approve the notice
   *[other] Approve { $number } notices
}
runs-ask = An administrator must approve them.
runs-check-hint = If it is a mistake in the register, correct it or undo the import first, and then check again. The notices are then sent only if they are within the limit. If you do nothing, none of them is sent now, and the next night checks again.
runs-check = Check again
runs-checking-title = The night is being checked again
runs-checking = This usually takes less than a minute. You may leave this page; the result will be here.
runs-checked-title = Checked again: the night is within the limit
runs-still-held-title = Checked again: there are still more notices than the limit
runs-moved = The date was changed on { $date }. Before that: valid until { $before }.
run-checked = Held back, and then checked again
runs-nights = Previous nights
runs-none = No nights yet.
runs-examples = { $number ->
    [one] One example of the notices
   *[other] { $number } examples of the notices
}
run-approved = Held back, and then approved
runs-see-import = See the import
runs-import = Since the last night, a register was imported, on { $time }. It changed { $number ->
    [one] one certification
   *[other] { $number } certifications
}. Check the dates before the notices are approved.
runs-import-undone = The import of { $time }, which changed { $number ->
    [one] one certification
   *[other] { $number } certifications
}, was undone. The notices must be checked again.
runs-notices = { $number ->
    [0] No notices
    [one] One notice
   *[other] { $number } notices
}
run-complete = Recorded for sending
run-held = Held back
run-missed = No notices that night, covered by a later night
run-failed = Stopped by an error

certifications-file = Download the list as a file (CSV)
certifications-contacts = Include e-mail and phone
certifications-printed = Meeting list for print
certifications-workbook = Download the list as a workbook (XLSX)
printed-back = Back to the certifications
printed-cut = The list has no more certifications than these. Choose a filter, and print several lists.
chapter-unnamed = Another chapter
fact-name = Name
until-future = valid until the end of { $name }
until-past = was valid until the end of { $name }
until-last = last valid day { $name }
runs-approved-more-title = { $number ->
    [one] The notices are approved and recorded. Those of one more night are waiting for approval
   *[other] The notices are approved and recorded. Those of { $number } more nights are waiting for approval
}
runs-failed-title = An error stopped the nightly notices
action-renew-of = the certification of { $name }, { $about }
action-contact-of = with { $name }, { $about }
fact-state-after = Afterwards
evidence-label = Evidence (optional)
note-label = Note (optional)
today-cut-title = This page does not show everything
certifications-file-cut = The file has no more rows than this. Choose a filter, and download several files.

undo-move = Undo the move: back to { $name }
undo-last = Undo your last change
undo-together = { $number ->
   *[other] You changed { $number } certifications together. Show them
}
done-undone = Undone: { $name }
undone-another = Find another one
event-undone-suspended = The reinstatement was undone: suspended.
event-undone-reinstated = The suspension was undone: reinstated.
several = Several at once
action-renew-several = Renew several
action-suspend-several = Suspend several
action-reinstate-several = Reinstate several
action-renew-several-title = { $number ->
    [0] Nothing here can be renewed
    [one] Renew one certification
   *[other] Renew { $number } certifications
}
action-suspend-several-title = { $number ->
    [0] Nothing here can be suspended
    [one] Suspend one certification
   *[other] Suspend { $number } certifications
}
action-reinstate-several-title = { $number ->
    [0] Nothing here can be reinstated
    [one] Reinstate one certification
   *[other] Reinstate { $number } certifications
}
action-renew-several-done = { $number ->
    [0] Nothing was renewed
    [one] Renewed: one certification
   *[other] Renewed: { $number } certifications
}
action-suspend-several-done = { $number ->
    [0] Nothing was suspended
    [one] Suspended: one certification
   *[other] Suspended: { $number } certifications
}
action-reinstate-several-done = { $number ->
    [0] Nothing was reinstated
    [one] Reinstated: one certification
   *[other] Reinstated: { $number } certifications
}
several-done = { $number ->
    [0] Nothing was changed
    [one] One certification was changed
   *[other] { $number } certifications were changed
}
several-undone-title = { $number ->
    [one] Undone: one certification
   *[other] Undone: { $number } certifications
}
several-none = You cannot do this with any certification on the list.
several-back = All certifications
several-cut = The list is long, so only its first { $number } are included. Choose a filter, or change the rest afterwards.
several-filter = Choose a filter first. You can then renew, suspend or reinstate all in the list at once.
several-renewal = Choose those that need a renewal
several-choose-none = All are chosen now. Start with none instead
several-choose-all = None is chosen now. Start with all instead
several-choose = Choose people: clear those that you do not want to change
several-make = Save for all on the list
several-renewed = The last valid day changes from { $before } to { $after }.
several-renewed-first = The last valid day will be { $name }.
several-refused = { $number ->
    [one] Will not be changed: one
   *[other] Will not be changed: { $number }
}
several-will-change = Will be changed
several-left-out = Left out: { $number }
several-left-out-names = Left out: { $name }
several-long-valid = { $number ->
    [one] One of the certifications is valid for more than { $days } more days. Check that it is the right person.
   *[other] { $number } of the certifications are valid for more than { $days } more days. Check that they are the right people.
}
check-long-valid = The certification is valid for { $number } more days. Check that it is the right person.
several-undo = You can undo this for 24 hours, as long as the certification is not changed again.
several-undo-all = { $number ->
    [one] Undo the change
   *[other] Undo all { $number } changes
}
several-not = { $number ->
    [one] Not changed: one
   *[other] Not changed: { $number }
}
several-changed = { $number ->
    [one] Changed: one
   *[other] Changed: { $number }
}
several-since = { $number ->
    [one] Changed again since, so it cannot be undone: one
   *[other] Changed again since, so they cannot be undone: { $number }
}
several-undone = { $number ->
    [one] Undone, as it was before: one
   *[other] Undone, as they were before: { $number }
}
fault-none-chosen = Tick at least one certification.
refusal-unchanged = It was so already.
refusal-version-mismatch = Somebody else changed it in the meantime.
refusal-not-permitted = You may not change it.
refusal-unknown-name = It is not there any more.
refusal-renewal-date-missing = Its type has no fixed validity. Renew it alone, with the last valid day.
refusal-renewal-early = It is earlier than the type allows. Renew it alone.
refusal-renewal-date = The date does not fit this certification. Change it alone to see why.
refusal-certification-lapsed = It has lapsed. Renew it instead.
refusal-certification-withdrawn = It was withdrawn. Reinstate it first, if that was a mistake.
refusal-person-erased = The person was erased.
refusal-history-full = It has been changed too often. Ask the operator of certvakt.
refusal-other = An error stopped the change. Try again.
version-mismatch-title = Somebody changed it in the meantime
version-mismatch = The certification was changed again, so your change was not made. Go back, and look at what holds now.

kept-title-of = Not saved yet. { $name }
kept-title = Your form is kept
kept = You had to sign in again, but the last form that you sent was kept. It is not saved yet. Look at it, and choose “Continue”.
kept-send = Continue
kept-discard = Delete what I wrote

menu-outlook = Months ahead
outlook-title = Months ahead: certified mentors in the next 18 months
outlook-short-title = { $number ->
    [one] One chapter has, or will have, too few mentors
   *[other] { $number } chapters have, or will have, too few mentors
}
outlook-set-title = Saved for { $name }
outlook-what = How many certifications expire in each of the next 18 months, and how many mentors are certified at its end, if nobody renews.
outlook-none = You manage no chapter.
outlook-without-number = { $valid ->
    [one] One certified mentor today.
   *[other] { $valid } certified mentors today.
}
outlook-short-now = { $valid ->
    [0] No certified mentor today, and the chapter needs { $required }.
    [one] One certified mentor today, and the chapter needs { $required }.
   *[other] { $valid } certified mentors today, and the chapter needs { $required }.
}
outlook-short-from = { $required ->
    [1] No certified mentor from { $month }, if nobody renews. Today there are { $valid }.
   *[other] Fewer than { $required } certified mentors from { $month }, if nobody renews. Today there are { $valid }.
}
outlook-enough = { $valid ->
    [one] One certified mentor today. There will be at least { $required } for 18 months.
   *[other] { $valid } certified mentors today. There will be at least { $required } for 18 months.
}
outlook-caption = { $name }: certifications that expire in the month, and certified mentors at its end
outlook-month = Month
outlook-expiring = Expire
outlook-valid = Certified
outlook-required = Mentors needed
outlook-number = How many mentors does { $name } need?
outlook-number-hint = A whole number. Leave it empty if it does not matter.
outlook-set = Save
outlook-set-for = for { $name }
outlook-file = Download the numbers as a file (CSV)
fault-required = Enter a whole number from 1 to { $number }, or nothing.

about-title = Help, privacy and accessibility
about-help-title = Help
about-help = Ask your coordinator, or an administrator of your organisation.
help-today = See who needs you
help-today-how = “Today” shows who has expired, whom we cannot reach, and who expires soon. Call them, and choose “Record a contact” beside the name. The row then disappears for all coordinators until the day that you chose.
help-renew = Renew a certification
help-renew-how = Find the person under “Certifications”, and open the name. There you can renew, correct the date, suspend, withdraw, and change addresses.
help-several = Renew several at once
help-several-how = Filter “Certifications” to those that you want to renew, and choose “Renew several”. You can leave some out before you save.
help-undo = Undo something that you did
help-undo-how = Open “Your changes of the last day”, and choose “Undo”. This is possible for 24 hours, unless somebody has changed the same certification since.
help-unreached = Find out why somebody got no notice
help-unreached-how = Open the certification. The reason why no notice arrives is at the top, and everything that was sent is further down. Correct the address there, and the notice is sent again.
help-stops = Somebody leaves or dies
help-stops-how = Open the certification, and choose “Record that the mentor has left or died”. The notices then stop, and the person is removed from the lists of partners.
help-import = Import a register
help-import-how = Upload the file, choose what each column is, and see what would change. Nothing changes before you confirm, and you can undo the import for 30 days.
help-held = The notices of a night wait
help-held-how = They are unusually many. Look at the examples and at the last import. An administrator approves the notices, or corrects the mistake and chooses “Check again”.
about-privacy-title = Privacy
about-privacy = certvakt stores who is certified and until when, how people can be reached, which notices were sent, who talked to you about a renewal, how you sign in, and who changed what. The coordinators of your chapters and of the levels above, and the administrators of your organisation, see data about you, and each time is logged. If you have agreed to it, partners of the organisation show you on their listings.
about-rights = You can ask your organisation what is stored about you, and to have it corrected or erased.
about-privacy-link = The privacy notice of the organisation
about-accessibility-title = Accessibility
about-accessibility = These pages are made to meet WCAG 2.2, levels A and AA: with a keyboard, with a screen reader, with large text, in high contrast and on small screens. Every page is tested automatically. Tests by people who use screen readers every day are still missing.
about-accessibility-report = If something does not work for you, tell us as described under “Help”. You have a right to a solution.
kept-page = Open an empty form instead
kept-date = Date
kept-outcome = What happened

mentor-actions = Changes to the mentor
action-move = Move to another chapter
action-move-title = Move to another chapter: { $name }
move-what = The mentor moves with all their certifications of this chapter. You can move them back in the same way. If you use a register, change the chapter there too: the next import follows the register.
move-to = New chapter
move-choose = Choose a chapter
move-nowhere = You manage no other chapter of the organisation. An administrator can move the mentor.
fault-chapter = Choose the chapter to move the mentor to.
action-end = Record that the mentor has left or died
action-end-title = Record that the mentor has left or died: { $name }
action-end-check = Is this right about { $name }? Nothing is recorded yet
ending-reason = What happened?
ending-left = The mentor has left
ending-deceased = The mentor has died
ending-consequences = This happens at once:
ending-withdrawn = All the mentor’s certifications in the organisation are withdrawn.
ending-delisted = The mentor is removed from the partners’ lists.
ending-nothing-sent = Waiting notices are not sent, and there will be no new ones. Nobody is told about this.
ending-roles = All the mentor’s roles in the organisation end. Their sign-ins end too, unless another organisation knows them.
ending-register = If a register that is imported later contains the mentor, that row is rejected.
ending-kept = Their data stays until somebody erases it. If this was recorded by mistake, an administrator can record that the mentor is back, but certifications, consents and sign-ins do not come back by themselves.
fault-ending-reason = Choose what happened.
action-return = Record that the mentor is back
action-return-hint = Was this recorded by mistake? Then you can record that the mentor is back. The mentor belongs to their chapters again, but their certifications stay withdrawn until somebody reinstates them.
done-left = Has left: { $name }
done-deceased = Recorded as deceased: { $name }
done-returned = Is back: { $name }
done-moved = Moved: { $name }
event-left = The mentor has left.
event-deceased = The mentor has died.
event-returned = The mentor is back.
event-moved = Moved from { $before } to { $after }.
chapter-hidden = another chapter
fault-ended = The mentor has left or died. If that is wrong, an administrator can record that they are back.
refusal-person-ended = The mentor has left or died.

chapters-title = Chapters
chapters-link = The chapters with their coordinators and mentors
chapters-moved-title = The mentors have moved to { $name }
chapter-without-coordinator = No coordinator, also not at the levels above
chapter-coordinated-above = No coordinator of its own
chapter-mentors = { $number ->
    [0] No mentors
    [one] One mentor
   *[other] { $number } mentors
}
chapter-move = Move all mentors
chapter-move-from = from { $name }
chapter-move-title = Move all mentors: { $name }
chapter-move-check = Is this right? The mentors of { $name } have not moved yet
chapter-move-what = All mentors move with their certifications of the chapter. They join those who are already there, so the move cannot be undone as a whole. If you use a register, change the chapter there too: the next import follows the register.
fault-chapters = Choose the chapter to move the mentors to.
today-without-coordinator = { $number ->
    [one] One chapter has mentors, but no coordinator: { $name }.
   *[other] { $number } chapters have mentors, but no coordinator: { $name }.
}
digest = Overview by e-mail
digest-hint = It shows the same as the page "Today". If a certification expires or a mentor cannot be reached, you get an e-mail the same morning.
digest-off = Send me none
digest-daily = Every morning with news
digest-weekly = Once a week
digest-weekday = Day of the weekly overview
digest-save = Save
digest-saved = Saved: overview by e-mail
digest-schedule = How often do you want it?
ending-left-save = Record that the mentor has left
ending-deceased-save = Record the death
today-without-coordinator-more = { $number } chapters have mentors, but no coordinator, among them { $name }.
action-renew-several-check = { $number ->
    [0] None of them can be renewed
    [one] Is this right? One renewal is not saved yet
   *[other] Is this right? { $number } renewals are not saved yet
}
action-suspend-several-check = { $number ->
    [0] None of them can be suspended
    [one] Is this right? One suspension is not saved yet
   *[other] Is this right? { $number } suspensions are not saved yet
}
action-reinstate-several-check = { $number ->
    [0] None of them can be reinstated
    [one] Is this right? One certification is not reinstated yet
   *[other] Is this right? { $number } certifications are not reinstated yet
}
