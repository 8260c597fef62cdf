"""Web addresses: the only links that are followed, published or shown."""


def is_web_address(text: str) -> bool:
    """Whether the text leads to the web, and not to a script, a file or a program."""
    return text.strip().lower().startswith(("http://", "https://"))
