"""The commands: one module for each command, or for a few commands of one subject."""
