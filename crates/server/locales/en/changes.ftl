# The person's own changes and contacts of the last day.
my-changes = Your changes of the last day
my-changes-title = { $number ->
    [0] You have changed or recorded nothing within the last day
    [one] You have recorded one change or contact within the last day
   *[other] You have recorded { $number } changes and contacts within the last day
}
my-changes-what = These are the certifications that you have renewed, corrected, suspended or reinstated, and the contacts that you have recorded. You can undo them for 24 hours. A change can be undone as long as nobody has changed the certification since.
my-changes-several = { $number ->
    [one] one certification
   *[other] { $number } certifications at once
}
my-changes-made = Changed on { $name }.
my-changes-undone = Undone on { $name }.
my-changes-before = Last valid day before the change: { $name }.
my-changes-before-never = Before the change, the certification did not expire.
my-changes-before-suspended = Before the change, the certification was suspended.
my-changes-since = The certification was changed since, so this change cannot be undone.
my-changes-refused = The change was not made.
my-changes-undo = Undo
my-changes-undo-of = the change for { $name }
my-changes-undo-several = { $number ->
    [one] one change
   *[other] all { $number } changes
}
my-changes-undo-contact = the contact with { $name }
my-changes-contact = Contact recorded on { $time }: { $outcome }.
my-changes-contact-next = Next contact on { $name }.
my-changes-cut = The page shows the latest { $number }.
my-changes-corrected = { $number ->
    [one] A notice had been sent. The mentor gets a correction by e-mail.
   *[other] { $number } notices had been sent. The mentors get a correction by e-mail.
}
my-changes-uncorrected = { $number ->
    [one] A notice had been sent, and the mentor has no mail address for a correction. Contact them.
   *[other] { $number } notices had been sent to mentors who have no mail address for a correction. Contact them.
}
