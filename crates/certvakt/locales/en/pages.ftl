sign-in-title = Sign in
sign-in-provider = Sign in
address = E-mail address
send-link = Send me a link

signed-in-title = You are signed in
signed-in-as = You are signed in as { $name }.
signed-in-nobody = This login belongs to nobody here yet. Open the invitation that was mailed to you.
sign-out = Sign out

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
too-many-requests = There were too many requests. Wait for a minute, and try again.
token-missing = You are not signed in, or no longer. Sign in, and try again.
not-found = There is nothing here. The address may be mistyped, or this way in is switched off.
