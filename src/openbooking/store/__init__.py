"""Stores: where everything is kept, in memory, in SQLite or in PostgreSQL."""
