"""The Open Booking API as seen by a Broker: requests, replies, access and discovery."""
