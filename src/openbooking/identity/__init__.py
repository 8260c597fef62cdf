"""Authentication and authorisation of Booking Partners and of the users of Sellers; the OpenID provider."""
