# What a lock screen shows is the subject and the first lines: they do not tell what it is about.
greeting = Hello,
greeting-named = Hello { $name },

link-subject = Your link to sign in
link = Open the link to sign in:
link-button = Sign in
link-ends = The link works once, for 15 minutes. If you did not ask for it, ignore this message.

invitation-subject = You are invited to sign in
invitation = Your coordinator invites you to sign in. Open the link to accept:
invitation-button = Accept the invitation
invitation-ends = The link works once, for 14 days. Give it to nobody else: whoever uses it signs in as you.

footer = This message was sent automatically and cannot be answered.
