"""The pages of bookings: Orders, the proposals that wait, the decisions about both, and the data of one person."""
