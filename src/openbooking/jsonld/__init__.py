"""Reading request bodies and published items, and writing replies, feed items and the dataset, as JSON-LD."""
