# The list of certifications: order, day and pages.

filter-unreachable = Cannot be reached
filter-declined = Do not want notices
filter-on = Status on a later date (optional)
filter-on-hint = For example 6.12.2026
filter-on-day = Status on { $name }
fault-on-past = Choose today or a later date. The list shows what the status will be if nobody renews, not what it was.
order = Sort by
order-expiry = Last valid day
order-name = Name
order-mentor = Mentor, most urgent first
order-too-long = The list has over { $number } certifications, so it is sorted by the last valid day. Choose a filter to sort in another way.
list-total = { $number }
list-total-over = over { $number }
list-found = Showing { $first }–{ $last } of { $total }
list-found-of = Showing some of { $name }
list-empty = No matches
first-page = First page
previous-page = Previous page
printed-title-all = Meeting list for all your chapters
printed-chapter = Meeting list for { $name }
printed-on = Printed on { $name }.
printed-later = The status is what it will be on { $name } if nobody renews.
printed-state = Selection: { $name }.
outlook-found = Showing chapters { $first }–{ $last } of { $total }. Those that first have too few mentors come first.
