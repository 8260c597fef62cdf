"""The longest message that a Seller writes to a Customer: a notice, a note or the reason of a cancellation."""

_LONGEST_MESSAGE = 1000


def length_problem(text: str) -> str:
    """Return what is wrong with a message that is too long; empty if it is short enough."""
    if len(text) <= _LONGEST_MESSAGE:
        return ""
    return f"Use at most {_LONGEST_MESSAGE} characters; the text has {len(text)}."
