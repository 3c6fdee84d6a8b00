# Whether notices reach a mentor, the correction of their addresses, and recorded contacts.
number-of = number { $name }

unreached-none = Notices reach nobody. There is no e-mail address and no device with the app.
unreached-no-email = Notices reach nobody. There is no e-mail address.
unreached-declined = Notices reach nobody. The mentor has declined notices.
unreached-refused = { $number ->
    [one] Notices reach nobody. The address does not accept e-mail: { $name }.
   *[other] Notices reach nobody. The addresses do not accept e-mail: { $name }.
}
unreached-refused-own = Notices reach nobody. The address that the mentor added does not accept notices.
unreached-no-phone = There is no phone number either.
unreached-again = A notice reached nobody. It will be sent again to the present addresses.
unreached-next = The next notice is due on { $date } ({ $stage }), but reaches nobody.
unreached-ask = The mentor has another role too. Ask an administrator to correct the addresses.
delivery-again = Reached nobody, and will be sent again
delivery-obsolete = Will not be sent, because it is no longer needed

action-contact-points = Correct e-mail or phone
contact-points-title = E-mail and phone: { $name }
contact-points-present = At present
contact-points-none = There are no addresses.
contact-points-own-email = An e-mail address that only the mentor sees
contact-points-own-push = The app on a phone or a tablet
contact-points-own = Added by the mentor, who alone can remove it
contact-points-declined = The mentor has declined such notices
contact-points-refused = Did not accept the notice
contact-points-register = If the register says something else, the next import can replace these addresses. Correct the register too.
contact-points-new = Add or correct
contact-points-hint-email = For example name@example.org. If the mentor can already sign in, the address is used for notices only.
contact-points-hint-phone = Eight digits, or with the country’s code first, for example +46. The number is for calls, not for notices.
contact-points-replaces-email = Which address does it replace?
contact-points-replaces-phone = Which number does it replace?
contact-points-replaces-none = None. Keep those that are there
contact-points-save = Save
contact-points-back = Back to the certification
fault-address-none = Enter an e-mail address or a phone number.
fault-address-email = Write an e-mail address, for example name@example.org.
fault-address-phone = Write a phone number of eight digits, or with the country’s code first.
fault-addresses-email = There are five e-mail addresses already. Choose which one the new one replaces.
fault-addresses-phone = There are five phone numbers already. Choose which one the new one replaces.
done-email_added = The e-mail address is saved: { $name }
done-email_removed = The e-mail address is removed: { $name }
done-phone_added = The phone number is saved: { $name }
done-phone_removed = The phone number is removed: { $name }
done-addresses_added = The e-mail address and the phone number are saved: { $name }
done-retried = The address will be tried again: { $name }
done-known = Nothing has changed: { $name }
event-email_added = An e-mail address was added.
event-email_removed = An e-mail address was removed.
event-phone_added = A phone number was added.
event-phone_removed = A phone number was removed.

contact-call = Call { $name }
contact-no-phone = No phone number is recorded.
contact-note = What was said? (optional)
contact-note-hint = It is shown in the history, which the mentor can read too. Write nothing about health.
contact-said = Said: { $name }
contact-undo = Remove the contact
done-contact-undone = The contact is removed: { $name }
fault-contact-note = The text is too long, or contains characters that cannot be shown.
today-stops = Notices continue until the certification is withdrawn.
today-stops-withdraw = Withdraw the certification
put-off = To contact later
put-off-title = { $number ->
    [0] Nobody to contact later
    [one] One person to contact later
   *[other] { $number } people to contact later
}
put-off-what = Somebody has recorded a contact and set a date for the next one. Until then, the page "Today" does not show the certification.
put-off-cut = The page shows the first { $number }.
today-recorded-see = See the contact, or remove it

action-letter = Print a letter
mentor-letter-title = Letter to { $name }
mentor-letter-how = Print the page, and send the letter. Only the letter is on the paper.
mentor-letter-back = Back to the certification
mentor-letter-none = The certification has no end to write about, or it is suspended or withdrawn.
mentor-letter-subject = Your certification
mentor-letter-regards = Regards
