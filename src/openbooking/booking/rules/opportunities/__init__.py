"""The rules of Opportunities: whether they can be booked, and how they change."""
