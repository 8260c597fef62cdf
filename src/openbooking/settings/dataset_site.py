"""The settings of the dataset site: their checks, the pictures and the certificate that they name, the Data Catalog."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from openbooking.openactive.contact_details import is_ascii_email
from openbooking.settings.messages import both_names, list_words, wrong_text
from openbooking.site_address import is_https_or_local

if TYPE_CHECKING:
    from openbooking.settings.definitions import Settings

_URLS = (
    "feedback_url",
    "data_documentation_url",
    "api_documentation_url",
    "api_terms_url",
    "api_access_url",
    "trial_system_url",
)
_PICTURES = ("dataset_logo", "dataset_background")
_FILE_OR_URL = "a file, or a URL that begins with https://"
_MEDIA_TYPES = {
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
}
_LARGEST_PICTURE = 2_000_000


class Picture(NamedTuple):
    """A picture of the dataset site.

    Attributes:
        url: Its URL; empty if this server serves the file.
        content: The bytes of the file; empty if the picture has a URL.
        suffix: The ending of the name of the file, such as `.png`.
        media_type: The media type of the file.
    """

    url: str = ""
    content: bytes = b""
    suffix: str = ""
    media_type: str = ""


class PictureError(Exception):
    """A picture cannot be used; the text says why."""


def read_picture(value: str) -> Picture | None:
    """Return the picture that a setting names; None without one.

    Raises:
        PictureError: The file cannot be read, is too large, or is no picture by its name.
    """
    if not value:
        return None
    if "://" in value:
        return Picture(url=value)
    path = Path(value)
    media_type = _MEDIA_TYPES.get(path.suffix.lower())
    if media_type is None:
        raise PictureError(f"The name of the file must end with {list_words(_MEDIA_TYPES)}.")
    try:
        content = path.read_bytes()
    except OSError as fault:
        message = f"The file cannot be read: {fault.strerror}."
        raise PictureError(message) from fault
    if not 0 < len(content) <= _LARGEST_PICTURE:
        raise PictureError(f"The file must have 1 to {_LARGEST_PICTURE:,} bytes, and has {len(content):,}.")
    return Picture(content=content, suffix=path.suffix.lower(), media_type=media_type)


def catalogued_sites(settings: "Settings") -> list[str]:
    """Return the URLs of the dataset sites of other installations."""
    return [url for url in (part.strip() for part in settings.data_catalog.split(",")) if url]


def dataset_site_faults(settings: "Settings") -> Iterator[str]:
    """Yield a message for each setting of the dataset site that has a wrong value."""
    for name in _URLS:
        url = getattr(settings, name)
        if url and not _is_dataset_link(url):
            yield wrong_text(name, url, "a URL that begins with https://")
    for url in catalogued_sites(settings):
        if not _is_dataset_link(url):
            yield f"{both_names('data_catalog')} names {url!r}. Separate its URLs by commas; each must begin with https://."
    for name in _PICTURES:
        yield from _picture_faults(name, getattr(settings, name))
    if "://" in settings.conformance_certificate and not _is_dataset_link(settings.conformance_certificate):
        yield wrong_text("conformance_certificate", settings.conformance_certificate, _FILE_OR_URL)
    if settings.administrator_email and not is_ascii_email(settings.administrator_email):
        yield wrong_text(
            "administrator_email", settings.administrator_email, "an e-mail address, such as ann@example.com"
        )


def _is_dataset_link(url: str) -> bool:
    """Return whether a text is an https URL, or an http URL on localhost for a trial, without quotes and spaces."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    is_plain = url.isascii() and url.isprintable() and not set(url) & set(" \"'<>\\,;")
    return is_plain and "@" not in parts.netloc and is_https_or_local(parts)


def _picture_faults(name: str, value: str) -> Iterator[str]:
    try:
        picture = read_picture(value)
    except PictureError as fault:
        yield f"{both_names(name)} is {value!r}. {fault}"
    else:
        if picture and picture.url and not _is_dataset_link(picture.url):
            yield wrong_text(name, value, _FILE_OR_URL)
