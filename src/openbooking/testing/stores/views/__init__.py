"""The test classes of views, by subject."""
