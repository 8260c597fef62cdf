"""The stores: in memory, and in SQL databases, of which SQLite and PostgreSQL have backends."""
