"""Sign-in, passwords, second factors, OAuth 2.0 and the registration of Booking Partners."""
