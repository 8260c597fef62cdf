"""The stores of partners, grants, users and sessions: in memory, and in an SQL database."""
