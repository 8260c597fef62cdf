"""Each test of the commands has a database of its own, and no settings from the environment."""

from support.command_line import database

__all__ = ["database"]
