"""The interfaces for programs: Open Booking API, feeds, dataset site and operations."""
