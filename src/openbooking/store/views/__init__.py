"""The views of the stores: their statements, and the same views in memory."""
