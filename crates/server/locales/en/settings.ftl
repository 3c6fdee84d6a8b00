setup-title = Start using certvakt
setup-intro = Fill in this form once. Check the time zone and the validity before you save.
setup-organisation-title = The organisation
setup-organisation = Name of the organisation
setup-locale = Language of notices
settings-locale-nb = Norwegian Bokmål
settings-locale-en = English
setup-timezone = Time zone
setup-timezone-hint = Decides when a day starts. It cannot be changed later.
setup-chapter-title = The first chapter
setup-chapter = Name of the chapter
setup-chapter-hint = More chapters can come from the register.
setup-type-title = The certification
setup-type-name = Name of the certification
setup-type-hint = For example Peer mentor.
setup-months = Valid for how many months
setup-months-hint = Leave it empty if each certification has its own date.
setup-person-title = You, the administrator
setup-person-intro = You become the administrator. You sign in with this address.
setup-name = Your name
setup-address = Your e-mail address
setup-save = Create the organisation
setup-done-title = The organisation is created
setup-done = We send you an e-mail. Open the link in it, or write the code here. Both are valid for 15 minutes. After you sign in, import the register.

fault-setup-organisation = Write the name of the organisation, at most 200 characters
fault-setup-locale = Choose a language
fault-setup-timezone = Write the time zone like Europe/Oslo
fault-setup-chapter = Write the name of the chapter, at most 200 characters
fault-setup-type_name = Write the name of the certification, at most 200 characters
fault-setup-months = Write a whole number from 1 to 1200, or leave it empty
fault-setup-name = Write your name, at most 200 characters
fault-setup-address = Write the e-mail address like name@example.org

today-empty-title = No certifications yet

menu-settings = Settings
settings-sections = Settings
settings-section-organisation = Notices and limits
settings-section-types = Types of certification
settings-section-chapters = Chapters
settings-title = Settings of { $name }
settings-saved = The settings are saved: { $name }
settings-check = Check the settings of { $name }
settings-effects = What happens when you save
settings-save = Save the settings
settings-name = Name of the organisation
settings-locale = Language of notices
settings-locale-hint = For people who have not chosen a language.
settings-time-zone = Time zone: { $name }. It cannot be changed.
settings-notices = Notices
settings-lead-times = The mentor gets a notice
settings-days-before = { $number ->
    [one] One day before the expiry
   *[other] { $number } days before the expiry
}
settings-grace-days = Number of days for which a certification counts as recently expired
settings-grace-days-hint = From 1 to 90 days. After that, the notice about the expiry is not sent.
settings-deliver-from = Notices are sent from
settings-deliver-hint = Write it like 09:00. The same time from and until means all day.
settings-deliver-until = Notices are sent until
settings-run-at = The nightly run starts at
settings-limit = Limit of a nightly run
settings-limit-intro = A nightly run with more notices than both limits waits until an administrator has approved it.
settings-limit-floor = Number of notices
settings-limit-percent = Per cent of the valid certifications
settings-names = Names in messages
settings-names-certification = Show the name of the organisation and of the certification on lock screens and in the subjects of e-mails
settings-digest-names = Show the names of mentors in the digests of coordinators

settings-effect-removed = { $number ->
    [one] Nobody gets a notice one day before the expiry any more.
   *[other] Nobody gets a notice { $number } days before the expiry any more.
}
settings-effect-added = { $number ->
    [one] Mentors also get a notice one day before the expiry.
   *[other] Mentors also get a notice { $number } days before the expiry. Those who are in that period now get it after the next nightly run.
}
settings-effect-locale-nb = People who have not chosen a language get notices in Norwegian Bokmål.
settings-effect-locale-en = People who have not chosen a language get notices in English.
settings-effect-grace = { $number ->
    [one] Certifications count as recently expired for one day.
   *[other] Certifications count as recently expired for { $number } days.
}
settings-effect-hours = Notices are sent between { $from } and { $until }.
settings-effect-any-hour = Notices are sent all day, also at night.
settings-effect-run = The nightly run starts at { $name }.
settings-effect-limit = A nightly run with more than { $number } notices waits for approval if they are also more than { $percent } per cent of the valid certifications.
settings-effect-names-on = Lock screens and the subjects of e-mails may show the name of the organisation and of the certification. Others can then see that the person is a mentor there, which can say something about their health.
settings-effect-names-off = Lock screens and the subjects of e-mails do not show the name of the organisation or of the certification.
settings-effect-digest-on = The digests that coordinators get by e-mail show the names of mentors.
settings-effect-digest-off = The digests that coordinators get by e-mail do not show the names of mentors.

fault-settings-name = Write the name of the organisation, at most 200 characters
fault-settings-locale = Choose a language
fault-settings-lead_times = Choose at least one notice
fault-settings-grace_days = Write a whole number of days from 1 to 90
fault-settings-deliver_from = Write when notices are sent from, for example 09:00
fault-settings-deliver_until = Write when notices are sent until, for example 20:00
fault-settings-run_at = Write when the nightly run starts, for example 02:00
fault-settings-limit_floor = Write a whole number of notices, at most 1000000
fault-settings-limit_percent = Write a whole number from 0 to 100

settings-types-title = Certifications of { $name }
settings-valid-for = { $number ->
    [one] Valid for one month
   *[other] Valid for { $number } months
}
settings-valid-until-date = Each certification has its own date
settings-own-lead-times = Its own notices: { $name } days before the expiry
settings-common-lead-times = Notices of the organisation: { $name } days before the expiry
settings-type-change = Change
settings-of = of { $name }
settings-type-new = New certification
settings-type-add = Add the certification
settings-type-title = Change { $name }
settings-type-lead-times = Which notices apply?
settings-as-organisation = Those of the organisation: { $name } days before the expiry
settings-own = Its own notices
settings-own-times = Its own notices
settings-chapters-title = Chapters of { $name }
settings-chapters-of-app = The chapters come from another service. Change them there.
settings-chapter-below = Below { $name }
settings-chapter-change = Change the name
settings-chapter-new = New chapter
settings-chapter-parent = Below
settings-chapter-top = None, it is at the top
settings-chapter-add = Add the chapter
settings-chapter-title = Change the name of { $name }
settings-chapter-save = Save the name

fault-settings-known = The name is in use. Write another name
fault-changed-to = { $label }: somebody else changed this to { $name } while your form was open. Save again to use what you entered
fault-changed-to-yes = { $label }: somebody else selected this while your form was open. Save again to use what you selected
fault-changed-to-no = { $label }: somebody else cleared this selection while your form was open. Save again to use what you selected
settings-effect-validity = { $number ->
    [one] New renewals are valid for one month. Certifications that are recorded already keep their date.
   *[other] New renewals are valid for { $number } months. Certifications that are recorded already keep their date.
}
settings-effect-validity-none = Each new renewal needs its own date. Certifications that are recorded already keep their date.
fault-settings-not-own = Select “Its own notices” to change the notices
fault-changed-to-nothing = { $label }: somebody else cleared this field while your form was open. Save again to use what you entered

settings-section-sign-in = Sign-in
sign-in-of-organisation = How people sign in: { $name }
sign-in-methods = Methods
sign-in-provider = { $name } ({ $host })
sign-in-links = A link or a code by e-mail, for everybody whose address is known here.
sign-in-no-links = Links by e-mail are not offered.
sign-in-demo = This is a demo: everybody chooses who they are.
sign-in-administrators = Administrators who change something
sign-in-age-minutes = { $number ->
    [one] They must have signed in within the last minute. Otherwise they sign in again first.
   *[other] They must have signed in within the last { $number } minutes. Otherwise they sign in again first.
}
sign-in-age-hours = { $number ->
    [one] They must have signed in within the last hour. Otherwise they sign in again first.
   *[other] They must have signed in within the last { $number } hours. Otherwise they sign in again first.
}
sign-in-stronger = They need a stronger sign-in, which only some methods give.
sign-in-no-step-up = They need no stronger or more recent sign-in than others.
sign-in-lasts = How long a sign-in lasts
sign-in-session = People are signed out after { $days } days, and earlier if they have not used certvakt for { $hours } hours.
sign-in-of-installation = These settings apply to the whole installation. Its operator changes them in the configuration file, in the sections [sign_in] and [step_up].
