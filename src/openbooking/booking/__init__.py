"""The decisions of a Booking System and their rules: pure functions over frozen data, and the Store protocol."""
