sign-in-title = Sign in
sign-in-provider = Sign in
sign-in-again = Sign in again to make changes
address = E-mail address
send-link = Send me a link

signed-in-title = You are signed in
signed-in-as = You are signed in as { $name }.
signed-in-nobody = This login belongs to nobody here yet. Open the invitation that was mailed to you.
sign-out = Sign out
sessions = Where you are signed in
session-current = Since { $since }: { $browser } (this browser)
session = Since { $since }: { $browser }
browser-unnamed = a browser that does not give its name
end-session = Sign out in { $browser }

alarms = Something wants you to look at it
partner-still-listed = { $number ->
    [one] One mentor is on the listing of { $partner } who is not to be ({ $organisation }).
   *[other] { $number } mentors are on the listing of { $partner } who are not to be ({ $organisation }).
}
partner-late = { $number ->
    [one] One mentor has waited for more than a day to be taken off the listing of { $partner } ({ $organisation }).
   *[other] { $number } mentors wait to be taken off the listing of { $partner }, one of them for more than a day ({ $organisation }).
}
partner-stopped = { $partner } is not told any more which mentors can be contacted ({ $organisation }).
partner-held = { $number ->
    [one] One mentor is to be taken off the listing of { $partner }, which exceeds the limit and needs approval ({ $organisation }).
   *[other] { $number } mentors are to be taken off the listing of { $partner }, which exceeds the limit and needs approval ({ $organisation }).
}
partner-unread = The listing of { $partner } cannot be read, so nobody knows whom it shows ({ $organisation }).
partner-missing = { $number ->
    [one] One mentor who can be contacted is missing from the listing of { $partner } ({ $organisation }).
   *[other] { $number } mentors who can be contacted are missing from the listing of { $partner } ({ $organisation }).
}
partner-by-hand = { $number ->
    [one] Somebody removed a mentor from the listing of { $partner } by hand: is that to be so? ({ $organisation })
   *[other] Somebody removed { $number } mentors from the listing of { $partner } by hand: is that to be so? ({ $organisation })
}
partner-unknown = { $number ->
    [one] The listing of { $partner } shows one person whom nobody here knows ({ $organisation }).
   *[other] The listing of { $partner } shows { $number } people whom nobody here knows ({ $organisation }).
}
partner-reports = { $number ->
    [one] { $partner } has told of a completed course that contradicts what stands here ({ $organisation }).
   *[other] { $partner } has told of { $number } completed courses that contradict what stands here ({ $organisation }).
}
partner-secret = { $number ->
    [0] What signs us in with { $partner } is good no longer than today, or has ended ({ $organisation }).
    [one] What signs us in with { $partner } is good for one day yet ({ $organisation }).
   *[other] What signs us in with { $partner } is good for { $number } days yet ({ $organisation }).
}

link-sent-title = Look in your mail
link-sent = If the address is known here, a link is on its way to it. It works once, for 15 minutes.
link-title = Sign in
link = Press the button to sign in.
link-open = Sign in

invitation-title = You are invited
invitation = Accept the invitation, and you are the person invited when you sign in like this.
invitation-sign-in-first = Sign in first, and then accept the invitation.
invitation-accept = Accept the invitation
invitation-sign-in = Sign in

trouble-title = That did not work
trouble-ours = Something went wrong on our side. Try again in a minute.
back = To sign in

# By code, see docs/errors.md.
sign-in-expired = This sign-in was begun too long ago, or in another browser. Begin again.
sign-in-denied = You were not signed in, because that was cancelled or refused. Begin again, or ask where you sign in.
sign-in-failed = The sign-in could not be completed. Begin again.
provider-unavailable = The service that signs you in does not answer. Try again in a minute.
link-invalid = This link is unknown, used or expired. Ask for another.
invitation-invalid = This invitation is unknown, used or expired. Ask for another.
login-taken = This login belongs to somebody already. Sign out, and sign in as another.
request-forged = This request did not come from a page of ours. Open the page again, and try there.
request-invalid = Something in the request has a wrong form. Go back and try again.
too-many-at-once = There are too many requests under way. Wait for a few seconds, and try again.
busy = There is too much to do at the moment. Wait for a few seconds, and try again.
too-many-requests = There were too many requests. Wait for a minute, and try again.
token-missing = You are not signed in, or no longer. Sign in, and try again.
not-found = There is nothing here. The address may be mistyped, or this way in is switched off.
