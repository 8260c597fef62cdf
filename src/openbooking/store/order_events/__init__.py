"""The queues of order events: in a database and in memory."""
