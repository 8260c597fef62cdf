"""What a migration does to one kind of data, where it is too much for the file of its revision."""
