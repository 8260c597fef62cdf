"""The pages of Booking Partners: their grants, the terms of a grant, and their use of the Booking System."""
