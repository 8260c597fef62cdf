"""Stores: where everything is kept, in memory or in SQLite."""
