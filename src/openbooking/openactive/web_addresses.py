"""The test for web addresses. Links that are no web addresses are not followed, published or shown."""


def is_web_address(text: str) -> bool:
    """Return whether the text is an HTTP or HTTPS URL. URLs of scripts (`javascript:`) and files are none."""
    return text.strip().lower().startswith(("http://", "https://"))
