"""The Seller's console: pages for the users of Sellers."""
