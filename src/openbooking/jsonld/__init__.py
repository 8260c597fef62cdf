"""JSON-LD: readers of request bodies, and writers of replies, feed items and the dataset."""
