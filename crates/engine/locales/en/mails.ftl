# Lock screens show the subject and the first lines, so these do not reveal the topic.
greeting = Hello,
greeting-named = Hello { $name },

link-subject = Your sign-in link
link = Open the link to sign in:
link-button = Sign in
link-code = Or write the code { $code } on the page where you asked for this e-mail.
link-ends = The link and the code work once, within 15 minutes. If you did not request them, ignore this message, and give the code to nobody.

invitation-subject = You are invited to sign in
invitation = Your coordinator invites you to sign in. Open the link to accept:
invitation-button = Accept the invitation
invitation-ends = The link works once, within 14 days. Do not share it: anyone who uses it signs in as you.

address-removed-subject = An address was removed
address-removed = Your organisation no longer uses this e-mail address for you.
address-removed-ends = If you expected this, you do not need to do anything. If not, call your coordinator: anyone who can read e-mail to the current address can sign in as you.

address-added-subject = A new address was added
address-added = A new e-mail address was added for you.
address-added-ends = If you expected this, you do not need to do anything. If not, call your coordinator: anyone who can read e-mail to that address can sign in as you.

address-confirmed-subject = An address was confirmed as yours
address-confirmed = An administrator of your organisation has confirmed that another e-mail address is yours. Two weeks after two administrators have done so, a person who signs in with that address can consent in your name to being listed as a contact person.
address-confirmed-ends = If that address is yours, you do not need to do anything. If not, call your organisation now: any administrator can delete the confirmation.

new-login-subject = A new sign-in
new-login = Somebody has signed in as you in a new browser or with a new login.
new-login-ends = If it was you, you do not need to do anything. If not, call your coordinator. If you can sign in, you can also end that session yourself.

notice-corrected-subject = A correction
notice-corrected = We sent you a notice recently. It was based on a mistake of ours, which is now corrected. You can ignore the notice.
notice-corrected-ends = Sign in to see what applies to you now, or ask your coordinator.

consent-given-subject = Something was recorded on your behalf
consent-given = { $way ->
    [paper] { $who } has recorded that you consented on paper on { $day }.
    [in_person] { $who } has recorded that you consented in person on { $day }.
    [phone] { $who } has recorded that you consented by phone on { $day }.
   *[other] { $who } has recorded that you consent.
} The consent is for the list of peer mentors of { $organisation } at { $partner }, which everybody can see.
consent-given-ends = You can withdraw your consent at any time: sign in and choose “Lists at partners”, or tell your coordinator. If you did not consent, withdraw it now.

consent-withdrawn-subject = Something was recorded on your behalf
consent-withdrawn = { $who } has recorded that you no longer consent to the list of peer mentors of { $organisation } at { $partner }. You will be taken off the list.
consent-withdrawn-ends = If that is right, you do not need to do anything. If not, sign in and choose “Lists at partners” to consent again, or tell your coordinator.

alert-subject = Something needs your attention

long-history = { $number ->
    [one] One certification of { $organisation } has been changed so often that its history is unusually long.
   *[other] { $number } certifications of { $organisation } have been changed so often that their histories are unusually long.
}
long-history-ends = Usually a program changes them repeatedly. Ask the operator of certvakt to check it, with the command “certvakt status” and “A history is long” in the runbook. You get this message at most once in thirty days.

# By kind of problem, see docs/partners.md.
partner-still-listed = { $number ->
    [one] A partner’s listing shows one mentor of { $organisation } who should not be on it.
   *[other] A partner’s listing shows { $number } mentors of { $organisation } who should not be on it.
}
partner-still-listed-ends = People may contact somebody whose certification has lapsed. certvakt has sent the removal again. If the listing still shows them tomorrow, ask the partner to remove them.

partner-removal-late = { $number ->
    [one] One mentor of { $organisation } has waited for more than a day to be removed from a partner’s listing.
   *[other] { $number } mentors of { $organisation } wait to be removed from a partner’s listing, at least one of them for more than a day.
}
partner-removal-late-ends = Ask the operator of certvakt to check it today: the command “certvakt partner status” shows what keeps the removals back. If it takes longer, ask the partner to remove them.

partner-stopped = { $number ->
    [one] Sending changes of mentors of { $organisation } to a partner’s portal has stopped. One change waits.
   *[other] Sending changes of mentors of { $organisation } to a partner’s portal has stopped. { $number } changes wait.
}
partner-stopped-ends = Mentors whose certifications have lapsed since may still be listed there. Ask the operator of certvakt to check it today: the command “certvakt partner status” shows the reason, and “Sending to a partner has stopped” in the runbook says what to do. No change is lost.

partner-removals-held = { $number ->
    [one] The removal of one mentor of { $organisation } from a partner’s listing exceeds the limit and needs approval.
   *[other] The removal of { $number } mentors of { $organisation } from a partner’s listing exceeds the limit and needs approval.
}
partner-removals-held-ends = The removals wait until somebody has checked them. Ask the operator of certvakt to check them, with the command “certvakt partner status” and “Removals are held” in the runbook.

partner-listing-unread = A partner’s listing of mentors of { $organisation } cannot be read.
partner-listing-unread-ends = Until it can be read, certvakt cannot check whether the listing shows somebody whose certification has lapsed. Ask the operator of certvakt to check it: the command “certvakt partner status” shows the reason.

partner-listing-not-compared = A partner’s listing of mentors of { $organisation } has not been compared for six hours.
partner-listing-not-compared-ends = Until it is compared, certvakt cannot know whether the listing shows somebody whose certification has lapsed. Ask the operator of certvakt to check that it is running: “certvakt partner status” shows when the listing was last compared.

partner-missing = { $number ->
    [one] One mentor of { $organisation } who can be contacted is missing from a partner’s listing.
   *[other] { $number } mentors of { $organisation } who can be contacted are missing from a partner’s listing.
}
partner-missing-ends = certvakt has sent them again. If they are still missing tomorrow, ask the partner why.

partner-removed-by-hand = { $number ->
    [one] Somebody has removed a mentor of { $organisation } from a partner’s listing manually.
   *[other] Somebody has removed { $number } mentors of { $organisation } from a partner’s listing manually.
}
partner-removed-by-hand-ends = certvakt does not list them again until somebody decides. Ask the partner whether it was intended, and the operator of certvakt to record the decision, with the command “certvakt partner resolve-removal”.

partner-unknown = { $number ->
    [one] A partner’s listing shows one person who is unknown to { $organisation }.
   *[other] A partner’s listing shows { $number } people who are unknown to { $organisation }.
}
partner-unknown-ends = certvakt cannot know whether they are certified, and does not remove them. Ask the partner who they are. Mentors of yours have to be enrolled, with the command “certvakt partner enrol”.

partner-reports-unread = The completed courses that a partner reports to { $organisation } cannot be read.
partner-reports-unread-ends = Until the reports can be read, no mentor is renewed by them. Ask the operator of certvakt to check it: the command “certvakt partner status” shows the reason.

partner-reports-waiting = { $number ->
    [one] A partner has reported a completed course that contradicts the data of { $organisation }.
   *[other] A partner has reported { $number } completed courses that contradict the data of { $organisation }.
}
partner-reports-waiting-ends = Nobody is renewed by them until somebody decides. Ask the operator of certvakt to show them to you: see “A portal reports contradicting courses” in the runbook.

partner-credential-expires = { $number ->
    [0] The credential of { $organisation } for a partner’s portal expires today or has expired.
    [one] The credential of { $organisation } for a partner’s portal expires in one day.
   *[other] The credential of { $organisation } for a partner’s portal expires in { $number } days.
}
partner-credential-expires-ends = After that, certvakt cannot remove mentors from the portal. Ask the partner for a new secret, and the operator of certvakt to replace the old one: see “A secret expires” in the runbook.

footer = This message was sent automatically. Replies are not read.
