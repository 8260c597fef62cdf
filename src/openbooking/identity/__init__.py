"""Authentication and authorisation: Booking Partners, the people of Sellers, and the OpenID provider between them."""
