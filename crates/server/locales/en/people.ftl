# The forms that hand over chapters and merge people.
people-search = Search
people-cut = There are more matches. Enter more of the name to see them.

handover = Appoint a new coordinator
handover-in = in { $name }
handover-title = New coordinator of { $name }
handover-what = The coordinator becomes responsible for the chapter and for every chapter below it. You can change this again in the same way.
handover-search = Search for the name of the new coordinator
handover-nobody = Nobody in the organisation matches. New people must first be registered in a chapter.
handover-successor = Who is the new coordinator?
handover-ends = Who is no longer coordinator?
handover-invite = Send an invitation to sign in
handover-invite-hint = Choose this if the new coordinator has not signed in before. The invitation goes to the e-mail address that we have.
handover-save = Save the coordinators
handover-uninvited = The invitation was not sent: we have no e-mail address at which the new coordinator can get it. Add the address to the register, and invite them again.
fault-successor = Search for the new coordinator, and choose who it is.
chapters-handed-title = Saved for { $name }. Coordinator: { $people }
event-appointed = Became coordinator of { $after }.
event-relieved = Is no longer coordinator of { $before }.
