"""A Booking System with made-up Sellers and a timetable, to be tried by people and Brokers."""
