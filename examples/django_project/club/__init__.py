"""The club: Booking of apps as Django models, in the admin."""
