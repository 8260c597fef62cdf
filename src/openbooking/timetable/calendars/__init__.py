"""Timetables and iCalendar (RFC 5545).

- `components` finds the events of a calendar, `recurrence` and `zones` read their times, and `reading` makes entries of
  a timetable of them.
- `edit` puts these entries into the timetable of a Seller.
- `writing` writes what is on sale as a calendar to which people subscribe.
"""
