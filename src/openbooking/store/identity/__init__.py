"""The IdentityStore in memory and over an SQL database."""
