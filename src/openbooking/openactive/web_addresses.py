"""The test for web addresses. Only links to web addresses are followed, published or shown."""


def is_web_address(text: str) -> bool:
    """Return whether the text is an HTTP or HTTPS URL, unlike URLs of scripts (`javascript:`) and files (`file:`)."""
    return text.strip().lower().startswith(("http://", "https://"))
