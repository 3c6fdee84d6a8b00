# Lock screens and subjects of e-mails do not reveal the topic.
title = You have a reminder
body = Open the app to see it.

# Only when the organisation has switched it on.
title-named = { $organisation }: { $certification }

subject = You have a reminder
subject-named = { $organisation }: { $certification }
greeting = Hello,
greeting-named = Hello { $name },
preheader = You have a reminder. Open the message to read it.
valid-until = { $certification } at { $organisation } is valid until { $date }, that day included.
expired-on = { $certification } at { $organisation } was valid until { $date }.
days-left = { $days ->
    [0] Today is the last day.
    [one] One day is left.
   *[other] { $days } days are left.
  }
days-past = { $days ->
    [one] That was yesterday.
   *[other] That was { $days } days ago.
  }
# In an organisation's own text.
days = { $days ->
    [one] one day
   *[other] { $days } days
  }
action = Please contact your coordinator to renew it.
footer = This message was sent automatically. Replies are not read.
calendar = Reminder
calendar-named = Last day: { $certification } at { $organisation }

date = { $day } { $month } { $year }
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
