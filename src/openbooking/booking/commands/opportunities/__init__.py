"""Commands about Sellers, Opportunities and their timetable."""
