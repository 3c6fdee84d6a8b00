skip = Skip to the content
menu = Main menu
menu-today = Today
menu-certifications = Certifications
menu-mine = My page
role-mentor = mentor
role-coordinator = coordinator
role-org_admin = administrator
refused-title = Error: { $name }
next = Next
next-page = Next page
cancel = Cancel

date = { $day } { $month } { $year }
long-date = { $weekday } { $date }
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
certifications-found = Certifications found
certifications-none = There are no certifications here yet. They appear when the register is imported.
certifications-none-match = No certification matches. Remove a filter to see more.
filter-text = Name or number
filter-chapter = Chapter
filter-type = Type
filter-state = State
filter-all = All
filter-show = Show
filters-active = Active filters
filter-remove = Remove the filter
search-for = “{ $name }”
filter-valid = Valid
filter-due = Expiring soon
filter-expired = Recently lapsed
filter-lapsed = Lapsed
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
fact-valid-until = Valid until
fact-completed = Course completed
fact-valid-before = Valid now until
fact-valid-after = Valid afterwards until
fact-evidence = Evidence
fact-note = Note
evidence-hint = For example the number of a course certificate. Do not enter documents here.
note-hint = The note stays in the history. Do not write about anybody's health.
own-certification = This is your own certification. Another coordinator or administrator must renew it.
next-stage = Next: { $stage } on { $date }.
stage-warning = a notice { $number } days before
stage-expired = a notice that it has lapsed

actions = Actions
action-renew = Renew
action-correct = Correct the date
action-suspend = Suspend
action-reinstate = Reinstate
action-withdraw = Withdraw
action-renew-title = Renew: { $name }
action-correct-title = Correct the date: { $name }
action-suspend-title = Suspend: { $name }
action-reinstate-title = Reinstate: { $name }
action-withdraw-title = Withdraw: { $name }
action-renew-check = Is this right? The renewal is not saved yet
action-correct-check = Is this right? The correction is not saved yet
action-withdraw-check = Withdraw it? It is not withdrawn yet
action-renew-save = Renew
action-correct-save = Save the date
action-withdraw-save = Withdraw
action-renew-date = When was the course completed?
action-renew-date-hint = Day, month and year, for example 24.12.2026
action-renew-early = Renew anyway, earlier than the type allows
action-correct-date = Last valid day
action-correct-date-hint = Day, month and year, for example 24.12.2028
action-suspend-date = Last day of the suspension (optional)
action-suspend-date-hint = Day, month and year. Without a date, the suspension lasts until somebody reinstates it.
check-title = Check before you save
check-change = Change
done-renewed = Renewed: { $name }
done-corrected = Date corrected: { $name }
done-suspended = Suspended: { $name }
done-reinstated = Reinstated: { $name }
done-withdrawn = Withdrawn: { $name }

faults-title = Something needs correcting
fault-date-form = Write the date as day, month and year, for example 24.12.2026.
fault-date-missing = Enter a date.
fault-changed = Somebody else changed the certification in the meantime. See what holds now, and try again.
fault-completed-later = The course cannot have been completed after today.
fault-completed-early = { $name } is too long ago.
fault-already-lapsed = By the rule of its type, it would have lapsed on { $name }. Enter a later day.
fault-unchanged = It is already valid until that day. Enter another day.
fault-suspension-end = The last day of the suspension must be today or later, and at most { $number } years from now.
fault-before-issue = The last valid day cannot be before the day of issue, { $name }.
fault-out-of-range = The date is too long ago, or more than { $number } years from now.
fault-early = It can be renewed from { $name }. Tick the box to renew it now.
fault-no-rule = The type has no fixed validity. Enter the last valid day.
fault-lapsed = It has lapsed. Renew it instead.
fault-withdrawn = It was withdrawn. Reinstate it first, if that was a mistake.
fault-erased = The person was erased.
fault-words = The text is too long, or has characters that cannot be shown.

timeline = History
timeline-empty = Nothing has happened yet.
event-renewed = Renewed: was valid until { $before }, is valid until { $after }.
event-corrected = The date was corrected from { $before } to { $after }.
event-suspended = Suspended.
event-reinstated = Reinstated.
event-withdrawn = Withdrawn.
event-undone = Undone: valid until { $after } again.
event-by = By { $name }
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
delivery-unreachable = Could not be sent: no working address
delivery-cancelled = Cancelled

today-title = { $number ->
    [one] One mentor needs you
   *[other] { $number } mentors need you
}
today-recorded-title = { $number ->
    [0] The contact is recorded. Nobody else needs you now
    [one] The contact is recorded. One mentor needs you
   *[other] The contact is recorded. { $number } mentors need you
}
today-nothing-title = Nobody needs you now
today-nothing = This page shows those who lapsed, those who cannot be reached, and those who expire within a month.
today-expired = Lapsed ({ $number })
today-unreachable = Cannot be reached ({ $number })
today-week = The next seven days ({ $number })
today-month = The next month ({ $number })
today-more = There are more than are shown here. See the whole list.
today-chapters = Chapters
today-all-chapters = All chapters
today-held = The run of { $name } waits for approval, because it would send unusually many notices.
action-contact = Record a contact
action-contact-title = Record a contact: { $name }
contact-outcome = What happened?
contact-reached = We talked
contact-no_answer = No answer
contact-letter_sent = A letter was sent
contact-booked = Registered for a course
contact-stops = Will not go on
contact-reached-on = You talked on { $name }
contact-no_answer-on = No answer on { $name }
contact-letter_sent-on = A letter was sent on { $name }
contact-booked-on = Registered for a course on { $name }
contact-stops-on = Did not want to go on, { $name }
contact-next = When should somebody get in touch again?
contact-next-hint = Day, month and year. Until then, the person is not on the list of those who need you.
contact-until = Next contact { $name }
fault-outcome = Choose what happened.
fault-next-past = The date must be later than today.
address-email = E-mail
address-phone = Phone

mine-title = My page
mine-certifications = My certifications
mine-none = You hold no certifications here.

menu-runs = Runs
update-status = Update status
runs-title = Runs
runs-held-title = { $number ->
    [one] One run waits for approval
   *[other] { $number } runs wait for approval
}
runs-approved-title = Approved and done
runs-running-title = Approved. The run is not finished yet
runs-running = The run is approved and starts at once. You may leave this page; the result will be here.
runs-held = The run of { $date } would send { $number } notices
runs-held-why = These are more than the limit. Nothing was sent. If a mistake in the register causes them, correct it first.
runs-of-stage = { $stage }: { $number }
runs-examples = For example to
runs-approve-hint = If you approve it, the notices are sent.
runs-approve = Approve the run
runs-ask = An administrator must approve it.
runs-nights = Nights
runs-none = No nights yet.
runs-notices = { $number ->
    [one] One notice
   *[other] { $number } notices
}
run-complete = Complete
run-held = Waits for approval
run-missed = Caught up later
run-failed = Failed

certifications-file = Download the list as a file (CSV)
fact-name = Name
