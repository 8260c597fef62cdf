"""The test for web addresses. Only links to web addresses are followed, published or shown."""


def is_web_address(text: str) -> bool:
    """Return whether the text is an HTTP or HTTPS URL, unlike URLs of scripts (`javascript:`) and files (`file:`)."""
    return text.strip().lower().startswith(("http://", "https://"))


def web_address_problem(text: str) -> str:
    """Return the message about a text that is no web address; empty if it is one."""
    if is_web_address(text):
        return ""
    return f"{text!r} is no web address: a web address begins with https:// or http://."
