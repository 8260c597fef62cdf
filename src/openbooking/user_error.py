"""The base class of errors that the user of a command can correct."""


class UserError(Exception):
    """An error that the user can correct. Its message says how. Commands print the message without a stack trace."""
