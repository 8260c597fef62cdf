"""The commands `openbooking broker`, with which a Broker's developer tries any Booking System."""
