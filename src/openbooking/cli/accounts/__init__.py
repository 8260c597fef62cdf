"""The commands about Sellers, their users, Booking Partners and credentials."""
