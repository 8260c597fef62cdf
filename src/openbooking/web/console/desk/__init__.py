"""The pages of the front desk: bookings, receipts, and the takings of a day."""
