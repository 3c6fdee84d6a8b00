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

address-removed-subject = An address was removed
address-removed = Your organisation no longer uses this mail address for you.
address-removed-ends = If you know of it, there is nothing to do. If not, call your coordinator: anybody who reads the address that is used now can sign in as you.

address-added-subject = Another address was added
address-added = Another mail address was recorded for you.
address-added-ends = If you know of it, there is nothing to do. If not, call your coordinator: anybody who reads that address can sign in as you.

address-confirmed-subject = Another address was confirmed as yours
address-confirmed = An administrator of your organisation has confirmed that another mail address is yours. Once two administrators have done so, and two weeks have passed, a person who signs in by that address can consent in your name to being listed as a contact person.
address-confirmed-ends = If that address is yours, there is nothing to do. If not, call your organisation now: any administrator can take the confirmation back.

new-login-subject = A new sign-in
new-login = Somebody has signed in as you in a browser that we do not know, or with a new login.
new-login-ends = If it was you, there is nothing to do. If not, call your coordinator. If you can sign in, you can also end that session yourself.

long-history-subject = Something wants you to look at it
long-history = { $number ->
    [one] One certification of { $organisation } has been changed so often that its history is unusually long.
   *[other] { $number } certifications of { $organisation } have been changed so often that their histories are unusually long.
}
long-history-ends = As a rule a program changes them again and again. Ask whoever operates certvakt to look at it: the command “certvakt status”, and “A history has grown long” in the runbook. You get this message once in thirty days at most.

partner-stopped-subject = Something wants you to look at it
partner-stopped = { $number ->
    [one] A partner’s portal is not told any more which mentors of { $organisation } can be contacted. One change waits.
   *[other] A partner’s portal is not told any more which mentors of { $organisation } can be contacted. { $number } changes wait.
}
partner-stopped-ends = Whoever lapsed meanwhile may still be listed there. Ask whoever operates certvakt to look at it today: the command “certvakt partner status” says why, and “A partner is not told any more” in the runbook what to do. Nothing is lost.

removals-held-subject = Something wants you to look at it
removals-held = { $number ->
    [one] One mentor of { $organisation } is to be taken off a partner’s listing, which exceeds the limit and needs approval.
   *[other] { $number } mentors of { $organisation } are to be taken off a partner’s listing, which exceeds the limit and needs approval.
}
removals-held-ends = They wait until somebody has looked whether that is right. Ask whoever operates certvakt: the command “certvakt partner status”, and “Removals are held” in the runbook.

secret-ends-subject = Something wants you to look at it
secret-ends = { $number ->
    [0] What { $organisation } signs in with at a partner’s portal is good no longer than today, or has ended.
    [one] What { $organisation } signs in with at a partner’s portal is good for one day yet.
   *[other] What { $organisation } signs in with at a partner’s portal is good for { $number } days yet.
}
secret-ends-ends = Afterwards the portal cannot be told who lapsed. Ask the partner for a new secret, and whoever operates certvakt to put it where the old one is: “A secret ends” in the runbook.

footer = This message was sent automatically and cannot be answered.
