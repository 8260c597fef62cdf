"""The club: bookings of apps as Django models, in the admin."""
