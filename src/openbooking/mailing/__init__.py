"""E-mail to the staff of Sellers and to the administrator."""
