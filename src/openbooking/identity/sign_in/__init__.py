"""Sign-in of the people who work for Sellers: accounts, passwords, second factors, sessions and attempt limits."""
