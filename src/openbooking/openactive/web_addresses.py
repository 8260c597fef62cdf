"""Web addresses. No other link is followed, published or shown."""


def is_web_address(text: str) -> bool:
    """Return whether the text is an HTTP or HTTPS URL, and not the URL of a script, a file or a program."""
    return text.strip().lower().startswith(("http://", "https://"))
