"""The Booking System of a studio with tables of its own: see the README."""
