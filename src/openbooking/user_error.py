"""The base of errors that the user of a command can correct."""


class UserError(Exception):
    """An error that the user can correct. Its message says how; commands print the message without a stack trace."""
