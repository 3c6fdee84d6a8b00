sign-in-title = Sign in
address = E-mail address
send-link = Send me a link

signed-in-title = You are signed in
signed-in-as = You are signed in as { $name }.
sign-in-again = You are signed in as { $name }. Sign in again to make changes.
signed-in-nobody = This login is not linked to a person yet. Open the invitation in your e-mail.
sign-out = Sign out
sessions = Where you are signed in
session-current = Since { $since }: { $browser } (this browser)
session = Since { $since }: { $browser }
browser-unnamed = an unknown browser
end-session = Sign out in { $browser }

alarms = Look at these first
today-alarms = Look at these first ({ $number })
alarms-known = For your information
on-this-page = On this page
partner-still-listed = { $number ->
    [one] One mentor is on the listing of { $partner } who should not be ({ $organisation }).
   *[other] { $number } mentors are on the listing of { $partner } who should not be ({ $organisation }).
}
partner-removal-late = { $number ->
    [one] The removal of one mentor from the listing of { $partner } has waited for more than a day ({ $organisation }).
   *[other] The removals of { $number } mentors from the listing of { $partner } are waiting, at least one for more than a day ({ $organisation }).
}
partner-stopped = Sending changes to { $partner } has stopped ({ $organisation }).
partner-removals-held = { $number ->
    [one] The removal of one mentor from the listing of { $partner } exceeds the limit and needs approval ({ $organisation }).
   *[other] The removal of { $number } mentors from the listing of { $partner } exceeds the limit and needs approval ({ $organisation }).
}
partner-listing-unread = The listing of { $partner } cannot be read, so certvakt cannot check it ({ $organisation }).
partner-listing-not-compared = certvakt has not compared the listing of { $partner } for six hours ({ $organisation }).
partner-missing = { $number ->
    [one] One mentor who can be contacted is missing from the listing of { $partner } ({ $organisation }).
   *[other] { $number } mentors who can be contacted are missing from the listing of { $partner } ({ $organisation }).
}
partner-removed-by-hand = { $number ->
    [one] A mentor was removed manually from the listing of { $partner }: was that intended? ({ $organisation })
   *[other] { $number } mentors were removed manually from the listing of { $partner }: was that intended? ({ $organisation })
}
partner-unknown = { $number ->
    [one] The listing of { $partner } shows one person who is unknown here ({ $organisation }).
   *[other] The listing of { $partner } shows { $number } people who are unknown here ({ $organisation }).
}
partner-reports-unread = The completed courses that { $partner } reports cannot be read ({ $organisation }).
partner-reports-waiting = { $number ->
    [one] { $partner } has reported a completed course that contradicts our data ({ $organisation }).
   *[other] { $partner } has reported { $number } completed courses that contradict our data ({ $organisation }).
}
partner-reports-waiting-more = { $partner } has reported more than { $number } completed courses that contradict our data ({ $organisation }).
partner-credential-expires = { $number ->
    [0] The credential for { $partner } expires today or has expired ({ $organisation }).
    [one] The credential for { $partner } expires in one day ({ $organisation }).
   *[other] The credential for { $partner } expires in { $number } days ({ $organisation }).
}

link-sent-title = Check your e-mail
link-sent = If the address is known here, an e-mail is on its way to it. Open the link in it, or write the code here. Both work once, within 15 minutes.
code = Code in the e-mail
code-button = Sign in
code-wrong-title = Error: the code is not valid
code-wrong = Check that it is the code in the newest e-mail, and that you asked for it in this browser, less than 15 minutes ago. After five wrong codes you need a new e-mail.
code-again = Ask for a new e-mail
link-title = Sign in
link = Press the button to sign in.
link-open = Sign in

invitation-title = You are invited
invitation = If you accept the invitation, this login is linked to the invited person.
invitation-sign-in-first = Sign in first, and then accept the invitation.
invitation-accept = Accept the invitation
invitation-sign-in = Sign in

trouble-title = Something went wrong
trouble-ours = Something went wrong on our side. Try again in a minute.
back = To the start page

# By code, see docs/errors.md.
sign-in-expired = This sign-in started too long ago or in another browser. Start again.
sign-in-denied = The sign-in was cancelled or refused. Start again, or ask your sign-in provider.
sign-in-failed = The sign-in could not be completed. Start again.
provider-unavailable = The sign-in provider does not respond. Try again in a minute.
link-invalid = This link is unknown, used or expired. Ask for a new one.
invitation-invalid = This invitation is unknown, used or expired. Ask for a new one.
login-taken = This login belongs to another person. Sign out, and sign in with another login.
request-forged = This request did not come from one of our pages. Open the page again, and try there.
request-invalid = The request is invalid. Go back and try again.
too-many-at-once = There are too many requests in progress. Wait for a few seconds, and try again.
busy = The server is busy. Wait for a few seconds, and try again.
too-many-requests = There were too many requests. Wait for a minute, and try again.
token-missing = You are not signed in, or your session has ended. Sign in, and try again.
not-found = There is nothing here. The address may be mistyped, or this sign-in method is switched off.
not-permitted = You may see this, but not change it. Ask a coordinator of the chapter.
login-unknown = This login is not linked to a person yet. Open the invitation in your e-mail.
access-closed = Access is closed for now. Ask your organisation when it opens again.

demo-title = Who do you want to be?
demo = This is a demo with made-up people. Choose whom to sign in as.
demo-coordinator = Sign in as { $name }, coordinator of Oslo and Østlandet
demo-administrator = Sign in as { $name }, administrator
demo-mentor = Sign in as { $name }, mentor
demo-outsider = Sign in as { $name }, coordinator of another organisation
not-found-title = Page not found
not-permitted-title = You cannot change this

unsubscribe-title = Stop getting the overview?
unsubscribe = You will get no more e-mails about who needs you. The page "Today" still shows it.
unsubscribe-button = Stop getting the overview
unsubscribed-title = You no longer get the overview
unsubscribed = If you change your mind, you can turn it on again on your page.
sign-in-form-kept-title = You are signed out. What you entered is kept
sign-in-form-kept = It is not saved yet. Sign in, and complete the form.
sign-in-form-lost-title = You are signed out. What you entered is not saved
sign-in-form-lost = Sign in, and fill in the form again.
