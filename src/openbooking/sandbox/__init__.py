"""The demo: a Booking System with made-up Sellers and Opportunities, for people and Brokers to try.

`sellers`, `timetable` and `events` make the demo data, `database` stores it, and `run` serves it. `guide` prints a
booking to paste into a shell, and `guided_booking` makes one.
"""
