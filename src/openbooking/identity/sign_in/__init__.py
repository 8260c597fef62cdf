"""Sign-in of the users of Sellers: accounts, passwords, second factors, sessions and attempt limits."""
