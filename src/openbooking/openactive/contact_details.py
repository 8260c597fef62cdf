"""Checks of the details with which people reach an organization, as they are typed."""


def is_email(text: str) -> bool:
    """Return whether a text looks like a whole e-mail address."""
    name, _, domain = text.partition("@")
    return bool(name) and "." in domain and not any(map(str.isspace, text))


def is_country(text: str) -> bool:
    """Return whether a text looks like the code of a country, such as GB."""
    return len(text) == len("GB") and text.isascii() and text.isupper()


def is_vat_number(text: str) -> bool:
    """Return whether a text looks like a VAT number, such as GB123456789."""
    return text.isascii() and text.replace(" ", "").isalnum() and any(map(str.isdigit, text))
