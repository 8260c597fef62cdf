"""The pages of the Seller itself: its details, what it publishes, its staff and its activity log."""
