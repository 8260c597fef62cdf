"""Booking Partners: their credentials, their last use, and the grants that Sellers give them."""
