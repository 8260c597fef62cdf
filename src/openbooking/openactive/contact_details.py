"""Checks of the details with which people reach an organization, as they are typed."""

import re

from openbooking.openactive.countries import COUNTRIES

# Atoms separated by dots (RFC 5322 3.2.3), with letters of every script (RFC 6531), but without quotes.
_ATOM = r"[\w!#$%&'*+/=?^`{|}~-]+"
_LABEL = r"[^\W_](?:[\w-]*[^\W_])?"
_EMAIL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:localhost|{_LABEL}(?:\.{_LABEL})+)")
_LONGEST_EMAIL = 254
# Words that people write, and the codes that they mean.
_NAMES_OF_GB = ("UK", "UNITED KINGDOM", "BRITAIN", "GREAT BRITAIN", "ENGLAND", "SCOTLAND", "WALES", "NORTHERN IRELAND")
_MEANT = dict.fromkeys(_NAMES_OF_GB, "GB") | {"EL": "GR", "IRELAND": "IE"}
# A British VAT number has nine digits, twelve for a branch, or three for a department or health authority. Any other
# number begins with its country, or not, and has at least five digits and at most 13 characters more.
_VAT_NUMBER = re.compile(
    r"(?:GB|XI)(?:[0-9]{9}|[0-9]{12}|(?:GD|HA)[0-9]{3})"
    r"|(?!GB|XI)(?:[A-Z]{2})?(?=(?:[A-Z+*]*[0-9]){5})[0-9A-Z+*]{5,13}"
)
# What people write between the digits.
_DIVIDERS = re.compile(r"[ .-]")


def is_email(text: str) -> bool:
    """Return whether a text is a whole e-mail address."""
    return len(text) <= _LONGEST_EMAIL and _EMAIL.fullmatch(text) is not None


def is_ascii_email(text: str) -> bool:
    """Return whether a text is a whole e-mail address in ASCII, to which this system can send e-mail.

    Not every mail server accepts characters outside ASCII (RFC 5321 4.1.2).
    """
    return text.isascii() and is_email(text)


def is_country(text: str) -> bool:
    """Return whether a text is the code of a country in ISO 3166-1, such as GB."""
    return text in COUNTRIES


def is_vat_number(text: str) -> bool:
    """Return whether a text has the form of a VAT number, such as GB123456789 or GB 123 4567 89."""
    return _VAT_NUMBER.fullmatch(_DIVIDERS.sub("", text).upper()) is not None


def email_problem(text: str) -> str:
    """Return the message about a text that is no e-mail address; empty if it is one."""
    return "" if is_email(text) else f"{text!r} is no e-mail address, such as ann@example.com."


def country_problem(text: str) -> str:
    """Return the message about a text that is no country, with the country that was probably meant; empty otherwise."""
    if is_country(text):
        return ""
    meant = _MEANT.get(text.upper(), text.upper())
    advice = f" Did you mean {meant}?" if is_country(meant) else ""
    return f"{text!r} is no country in ISO 3166, such as GB.{advice}"


def vat_number_problem(text: str) -> str:
    """Return the message about a text that is no VAT number; empty if it is one."""
    return "" if is_vat_number(text) else f"{text!r} is no VAT number, such as GB123456789."
