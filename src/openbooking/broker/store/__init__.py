"""The database of a Broker: its journal of Orders and payments, its Orders feeds, and the opportunities it harvests."""
