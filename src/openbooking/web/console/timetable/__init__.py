"""The pages of the timetable: the week, the forms of its entries, prices of single sessions, and the booking sheet."""
