"""Published items, read as what this Booking System is to sell: no store and no network is needed here."""
