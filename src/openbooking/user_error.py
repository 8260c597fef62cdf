"""The base of faults that whoever runs a command can mend."""


class UserError(Exception):
    """A fault that the user can mend; its message says how. A command prints the message and no stack trace."""
