# The pages about oneself, below "My page".
mine-more = More about you
mine-back = To “My page”

mine-emails = E-mail to you
mine-emails-what = Notices and overviews by e-mail go to these addresses. No link to sign in goes to an address that others added after you could already sign in.
mine-emails-managers = Only the organisation can correct addresses from a register. Tell an administrator of the organisation if one of them is wrong.

mine-notices-title = Notices you received
mine-notices-what = These are the notices about your certifications, the latest first. Notices are kept for at least 180 days.
mine-notices-none = You have not received any notices.
mine-notices-cut = The page shows the latest { $number }. To find an older notice, open its certification, or download your data.

channels-title = How notices reach you
channels-choice = Where do you want notices?
channels-choice-what = This applies to notices that a certification is about to expire, from all organisations. You can change it at any time. You always get the e-mails that you need to sign in.
channels-legend = Send me notices
channels-email = by e-mail
channels-push = in the app
channels-email-reach = { $number ->
    [0] We have no e-mail address of yours.
    [one] We have one e-mail address of yours.
   *[other] We have { $number } e-mail addresses of yours.
}
channels-push-reach = { $number ->
    [0] We know no device with the app.
    [one] We know one device with the app.
   *[other] We know { $number } devices with the app.
}
channels-save = Save the choices
channels-nobody = No notice reaches you now. When a certification is about to expire, your coordinator sees it and contacts you.
channels-chosen = Saved: where you want notices
channels-added = Saved: phone number
channels-removed = Removed
channels-devices = Devices
channels-no-device = We know no device with the app. Sign in in the app to get notices there.
channels-addresses = Addresses
channels-addresses-what = Only the organisation can correct addresses from its register. Tell your coordinator if one of them is wrong.
channels-no-address = We have no e-mail address and no phone number of yours.
channels-of-email = E-mail { $name }
channels-of-phone = Phone { $name }
channels-of-push = Device added on { $name }
channels-of-register = From the register of { $name }
channels-own = Your own, added on { $name }
channels-remove = Remove { $name }
channels-phone-new = Add a phone number
channels-phone = Phone number
channels-phone-hint = Eight digits, or the country's code and the number. The coordinators of the chapters that certified you see the number and can call you. We send no notices to phone numbers.
channels-phone-add = Add the number
fault-phone = Enter a phone number with eight digits, such as 912 34 567, or with the country's code, such as +46 70 123 45 67.
fault-phones = You have five phone numbers. Remove one of them before you add another.

calendar-all = Download a calendar file with reminders
calendar-file = Calendar file
calendar-of = for { $name }
calendar-hint = The file adds the last valid day to your calendar, with a reminder 30 days before. The title is neutral, but the description names the certification.
calendar-title = Reminder
calendar-details = Last valid day: { $name }

export-title = Download your data
export-hint = The file contains everything that is stored about you, and when somebody viewed it. Keep it in a safe place. It does not contain the names of those who viewed it. Ask the organisation if you need them.
export-text = Download as text
export-json = Download as JSON, for other programs

listings-title = Lists at partners
listings-what = A partner can have a public list of peer mentors. You are on such a list only if you have consented, and as long as your certification is valid.
listings-none = No partner has a list that you can be on.
listings-of = { $partner }, for { $organisation }
listings-no-consent = You have not consented, and should not be on the list.
listings-listed = You consented on { $name }, and should be on the list.
listings-not-listed = You consented on { $name }, but should not be on the list now. Your certification may not be valid, or an administrator may have taken you off the list.
listings-consent-text = If you consent, { $organisation } gives data about you to { $partner }, which shows it on a public list that everybody can see. People can then learn that you are a peer mentor, and that can say something about your health. You can withdraw your consent at any time.
listings-consent = Consent to the list at { $partner }
listings-withdraw = Withdraw consent to { $partner }
listings-withdraw-what = If you withdraw your consent, we ask the partner at once to take you off the list.
listings-done-consent = You have consented
listings-done-withdraw = You have withdrawn your consent, and will be taken off the list now
listings-record = What you decided
listings-given-own = { $name }: You consented.
listings-withdrawn-own = { $name }: You withdrew your consent.
listings-given-other = { $name }: Somebody else recorded the consent for you.
listings-withdrawn-other = { $name }: Somebody else withdrew the consent.
listings-given-by = { $name }: { $by } recorded for you that you consented.
listings-withdrawn-by = { $name }: { $by } recorded for you that you withdrew your consent.
listings-text = Text: version { $version }, { $language }.
language-nb = Norwegian
language-en = English
fault-consent-text = The text about consent has changed. Read it again, and consent again if you still want to.
fault-unproven = We cannot be certain enough that this login is yours. Sign in in another way than with a link by e-mail, or ask two administrators to confirm your e-mail address.
