"""Who calls, and what for: Booking Partners, the Sellers that authorise them, and an OpenID provider between them."""
