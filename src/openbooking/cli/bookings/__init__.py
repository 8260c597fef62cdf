"""The commands about a Seller's bookings: Orders, proposals, occurrences, sales, the log and the data of a person."""
