"""Import of items that other systems publish: pages are read, their items published, and missing ones withdrawn."""
