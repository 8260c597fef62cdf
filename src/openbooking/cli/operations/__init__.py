"""The commands of operators: serve, fill, check and copy a Booking System."""
