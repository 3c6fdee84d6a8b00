menu-imports = Imports
choose = Choose
imports-title = Import a register
imports-discarded-title = The file is discarded. Nothing was imported
imports-intro = Upload the register of members or the list of courses. You see what will change before anything is imported.
imports-limited = You can import for the chapters that you coordinate. Rows for other chapters, or for people who also belong to other chapters, are rejected.
imports-mapping = Saved columns
imports-no-mapping = None
imports-header-row = Line of the column names (optional)
imports-header-row-hint = A number. Without one, we use the first line.
imports-sheet = Sheet of the workbook (optional)
imports-sheet-hint = The name of the sheet, if the file has several.
imports-one = Import of { $name }
imports-of-minute = , no. { $number }: { $summary }
imports-file = File
imports-file-hint = CSV, TSV, XLSX, XLSB or ODS, at most 20 MB.
imports-next = Upload and continue
imports-list = Earlier imports (30 days)
imports-none = Nothing was imported here in the last 30 days.

columns-title = What do the columns contain?
columns-intro = We have proposed what each column contains. Check the proposals.
columns-lost = The file is uploaded, but we do not know where in the file the register is. Tell us, and we will read the file again.
columns-wrong-place = Did we read the wrong place in the file?
columns-read-again = Read the file again
columns-chapter = Chapter of rows without a chapter
columns-chapter-named = The file has a column for the chapter. The choice only applies to rows in which it is blank, and you can leave it as it is.
columns-chapter-hint = Choose the chapter of all rows, if no column contains the chapter.
columns-no-chapter = The file has a column for the chapter
columns-of-file = The columns of the file
columns-column = The column “{ $name }”
columns-samples = Examples: { $name }
columns-empty = The column is empty in the first rows.
columns-joined = The name is joined in this order: { $name }.
columns-more = More choices
columns-date-format = How the dates are written
columns-date-format-hint = D is the day, M the month and Y the year. The file does not show which is right.
columns-type = Type of rows that name none
columns-no-type = The file has a column for the type
columns-add-chapters = Create the chapters that do not exist yet
columns-missing = Certifications that are no longer in the file
missing-report = Show them, and change nothing
missing-suspend = Suspend them until they are in the file again
missing-withdraw = Withdraw them
columns-active = Values of the status column that mean active
columns-active-hint = Write semicolons between the values, for example active; approved. Without values, it is “active”.
columns-blank = A blank date means that the certification does not expire
columns-never = Values that mean that the certification does not expire
columns-never-hint = Write semicolons between the values, for example lifetime; 31.12.9999.
columns-save-as = Name for the saved columns (optional)
columns-save-as-hint = Next time you can choose the name instead of filling in this page.
columns-nothing-yet = Nothing is imported now. The next page shows what will change.
columns-check = Check the register
field-none = Do not use the column
field-external_id = Number in the register
field-expires_at = Last valid day
field-issued_at = Issued
field-name = Name
field-email = E-mail
field-phone = Phone
field-language = Language
field-push_token = Device for notices
field-status = Status
field-suspended_until = Suspended until
field-person_id = The person’s number
field-chapter = Chapter
field-type = Type
field-replaces = The number that is replaced
field-row = The row

checked-title = { $number ->
    [one] One row was checked. Nothing is imported yet
   *[other] { $number } rows were checked. Nothing is imported yet
}
checked-held-title = The register looks unusual. Nothing is imported
checked-refused-title = The register cannot be imported
check-held = Check the changes below before you import. If something is wrong, change the columns or correct the file.
check-nothing-yet = This happens if you import the file:
check-first = Look at these first
check-changes = The changes
check-no-changes = The file changes nothing.
check-more = { $number ->
    [one] and one more row
   *[other] and { $number } more rows
}
check-rejected = { $number ->
    [one] One row cannot be imported
   *[other] { $number } rows cannot be imported
}
check-rejects-file = Download the faulty rows (CSV), correct them, and upload them again
check-undo = You can undo the import for 30 days.
check-of-other = Somebody else has checked this file. Before you can import it, we check it again for you.
check-again = Check again
check-import = Import
check-import-some = Import { $number } of { $of } rows
check-import-anyway = Import anyway
check-change-columns = Change the columns
check-unknown-chapter = { $number ->
    [one] One row names the chapter “{ $value }”, which does not exist.
   *[other] { $number } rows name the chapter “{ $value }”, which does not exist.
}
check-unknown-type = { $number ->
    [one] One row names the type “{ $value }”, which does not exist.
   *[other] { $number } rows name the type “{ $value }”, which does not exist.
}
check-shared-expiry = { $number } rows have “{ $value }” instead of a date. If it means that the certification does not expire, enter the value under “Change the columns”.
check-new-chapters = { $number ->
    [one] A new chapter will be created: { $name }.
   *[other] New chapters will be created: { $name }.
}
check-missing-kept = Certifications that are missing from the file will not change, because some rows cannot be imported.
check-contacts = { $number ->
    [one] One address or phone number cannot be used. The rest of the row is imported.
   *[other] { $number } addresses or phone numbers cannot be used. The rest of the rows is imported.
}
change-added = New: { $number }
change-renewed = Renewed: { $number }
change-corrected = With an earlier or corrected date: { $number }
change-suspended = Suspended: { $number }
change-reinstated = Reinstated: { $number }
change-moved = Moved to another chapter: { $number }
change-edited = With new details: { $number }
change-unchanged = Unchanged: { $number }
change-missing = No longer in the file, and not changed: { $number }
change-missing-suspend = No longer in the file, and suspended: { $number }
change-missing-withdraw = No longer in the file, and withdrawn: { $number }
change-number = no. { $name }
change-line = line { $number }
change-dates = From { $before } to { $after }
change-chapters = From { $before } to { $after }
change-until = Last valid day: { $after }
close-title = { $number ->
    [one] Is this the same person?
   *[other] Are these the same people? There are { $number }
}
close-question = { $name }, no. { $number }, is new in the file
close-same = The same person as { $name } in { $chapters }, no. { $numbers }
close-other = Another person with the same name
close-decide = Save the answers and check again
hold-swapped-dates = In { $number } of { $of } dates that change, day and month seem to be exchanged.
hold-rejected-share = { $number } of { $of } rows cannot be imported.
hold-moved-share = { $number } of { $of } known dates change.
hold-different-names = { $number } of { $of } people with several rows have different names.
hold-missing-share = { $number } of { $of } certifications are no longer in the file.
reject-fault = Fault
reject-field = Line { $line }, { $field }: { $reason }.
reject-sentence = { $field }: { $reason }.
reject-rest = The rest of the row is imported.
reject-unnamed = Without a name
reject-value = ‘{ $column }’: { $value }
reject-blank = ‘{ $column }’ is blank
reject-date = the date
reason-import-other-chapter = the row concerns a chapter that you do not coordinate, or a person who also belongs to such a chapter. Ask the coordinator there or an administrator to import the row
reason-import-own-certification = the row changes your own certification. Ask another coordinator or an administrator to import the row
reason = it cannot be used. Correct the value
reason-given-twice = the number is also in another row, which counts. Take one of them out
reason-blank = it is missing. Fill it in, or take the row out
reason-too-long = it is too long. Shorten it
reason-not-a-date = it is not a date. Write the date like this: 31.12.2027
reason-the-day-does-not-exist = { $value } does not exist. Correct the date
reason-a-year-of-two-digits = the year has only two digits. Write all four
reason-the-date-is-ambiguous-or-does-not-exist = the date does not exist, or day and month can be confused. Write the date like this: 31.12.2027
reason-two-of-the-given-date-formats-give-different-days = day and month can be confused. Choose only one way to write dates
reason-the-year-is-before-1900-or-more-than-50-years-from-now = the year is before 1900, or more than 50 years ahead. Correct the year
reason-before-the-day-of-issue = it is before the day of issue. Correct one of the dates
reason-a-date-instead-of-text = it is a date, not text. Change the format of the cell
reason-a-spreadsheet-error-instead-of-a-value = it is an error of the spreadsheet. Correct the formula in the cell
reason-a-number-that-a-spreadsheet-has-rounded = it is a number that the spreadsheet has rounded. Format the column as text, and export it again
reason-a-national-identity-number-which-certvakt-does-not-need = it is a national identity number. Remove it from the register
reason-it-contains-control-characters-or-unreadable-characters = it has characters that cannot be read. Enter the value again
reason-not-a-phone-number = it is not a phone number. Correct the number
reason-not-a-language-that-certvakt-writes = it is not a language that we write: nb or en
reason-not-a-device-token = it is not a device. Leave it blank
reason-unknown-chapter = it does not exist in the organisation. Correct the name, or add the chapter
reason-unknown-type = it does not exist in the organisation. Correct the name, or add the type
reason-several-chapters-have-this-name = several chapters have this name. Use the short name
reason-several-types-have-this-name = several types have this name. Use the code
reason-the-number-of-the-same-row = it is the number of the same row. Enter the number that is replaced
reason-the-certification-belongs-to-a-person-with-another-id = the certification belongs to a person with another number. Check both numbers
reason-the-person-has-died-or-left = the person has died or left. Take the row out of the register, or record that they are back
reason-the-person-was-erased = the person was erased. Take the row out of the register
reason-more-fields-than-the-header = it has more fields than the line of the column names. Check separators and quotation marks
reason-several-lines-with-too-few-fields = it spans several lines. Check the quotation marks
reason-the-row-has-no-field-for-this-column = the row is too short. Check the separators

import-draft = Not imported: the columns are not chosen yet
import-by = Uploaded by { $name }
import-by-command = Imported from the command line by { $name }
import-by-unknown = Uploaded by a person who was erased
import-checking = Being checked
import-checked = Checked, not imported yet
import-received = Being imported
import-imported = Imported: { $added } new, { $renewed } renewed, { $corrected } corrected, { $rejected } rejected
import-refused = Not imported
import-undone = Undone
import-checking-title = The register is being checked
import-received-title = The register is being imported
import-undoing-title = The import is being undone
import-imported-title = The register is imported
import-refused-title = The register was not imported
import-undone-title = The import is undone
import-wait = This can take some minutes. You can leave the page. The result is shown here and under “Imports”.
import-added = New: { $number }
import-updated = Changed: { $number }
import-renewed = Renewed: { $number }
import-corrected = Corrected date: { $number }
import-unchanged = Unchanged: { $number }
import-duplicate = Rows with a number that is also in another row: { $number }
import-rejected = Rejected rows: { $number }
import-new-chapters = { $number ->
    [one] New chapter: { $name }
   *[other] New chapters: { $name }
}
import-rejects-title = Rejected rows
import-rejects-first = The first rejected rows
import-undo = Undo the import
import-undo-hint = What was changed since stays.
import-undo-refused = The import could not be undone.
import-undo-deleted = Deleted again: { $number }
import-undo-reverted = Changed back: { $number }
import-undo-notified = Corrected, because the mentor has already had a notice: { $number }
import-undo-kept = Kept, because they were changed since: { $number }
import-discard = Discard the file
fault-import = The file cannot be imported. Check the columns, or ask for help.
fault-import-not-yours = You no longer coordinate all chapters for which the file was uploaded. Upload it again.
fault-no-file = Choose a file.
fault-file-too-long = The file is larger than 20 MB. Divide it, or ask for help with the import.
fault-import-chapter = Choose the chapter of all rows, or a column that contains it.
fault-import-mapping = Choose saved columns from the list.
fault-import-type = Choose a type, or a column for the type.
fault-header-row = Enter the number of the line, for example 3.
fault-field-missing = Choose the column that contains “{ $name }”.
fault-field-twice = Only one column can contain “{ $name }”.
fault-date-format = Choose how the dates are written.
fault-mapping-name = Enter a name of at most 63 letters and digits.
fault-import-unreadable = The file cannot be read. Try to save it again.
fault-import-binary = The file is neither text nor a workbook. Save the register as CSV or XLSX.
fault-import-mixed-encodings = Some lines have another encoding than the rest. Save the register as UTF-8.
fault-import-empty = The file is empty. Its first row must have column names.
fault-import-hidden = All sheets of the workbook are hidden. Show the sheet with the register.
fault-import-several-sheets = The workbook has several sheets. Enter the name of the sheet with the register.
fault-import-unknown-sheet = The file does not have this sheet.
fault-import-no-header = The line of the column names is empty or does not exist.
fault-import-row-too-long = A row is too long. A quotation mark may be missing.
fault-import-unclosed-quote = A quotation mark in the file is never closed.
fault-import-too-large = The workbook is too large. Save the register as CSV.
fault-import-too-much-memory = The file is too large to be read. Save the register as CSV.
fault-import-too-slow = The file takes too long to read. Save the register as CSV.
fault-import-broken = The file cannot be read. Save the register as CSV, and report the file.
fault-import-held = The register looks unusual, and something has changed since it was checked. Upload it again.
fault-import-unknown-column = The file does not have one of the columns. Choose the columns again.
