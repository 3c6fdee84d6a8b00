# Lock screens show the subject and the preheader, so neither mentions mentors.
subject = Your overview
preheader = Open the message to read it.
greeting = Hello,
greeting-named = Hello { $name },

about = { $number ->
    [0] Nobody needs you right now. This is what comes next.
    [one] One mentor needs you now.
   *[other] { $number } mentors need you now.
}
about-alarms = No mentor needs you right now, but this must be followed up.
held = The notices for { $date } wait for an administrator's approval
partner-reports-waiting = { $number ->
    [one] { $partner } has reported a completed course that contradicts our data
   *[other] { $partner } has reported { $number } completed courses that contradict our data
}
partner-reports-waiting-more = { $partner } has reported more than { $number } completed courses that contradict our data
partner-stopped = Sending changes to { $partner } has stopped. Administrators follow it up

expired-count = { $number } recently expired
unreachable-count = { $number } cannot be reached
week-count = { $number } will expire within seven days
month-count = { $number } will expire in 8 to 30 days

expired = Expired: valid until { $date }
unreachable = Cannot be reached: valid until { $date }
week = Valid until { $date }
month = Valid until { $date }
named = { $who }. { $what }

more = { $number ->
    [one] See one more mentor
   *[other] See { $number } more mentors
}
footer = You get this overview because you look after mentors. This message was sent automatically and cannot be answered.
schedule = Choose how often you get it
unsubscribe = Stop getting it
