"""A Booking System with made-up Sellers and a timetable, for people and Brokers to try."""
