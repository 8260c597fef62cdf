"""What is listed, as rows of tables."""
