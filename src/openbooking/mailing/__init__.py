"""E-mail to the staff of Sellers."""
