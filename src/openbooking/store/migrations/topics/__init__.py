"""Parts of migrations, each for one kind of data, that are too long for the file of their revision."""
