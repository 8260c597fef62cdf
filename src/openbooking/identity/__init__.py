"""Who calls, and what for: Booking Partners and their credentials."""
