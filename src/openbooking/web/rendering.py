"""Renders templates as responses with the security headers of pages for people."""

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from types import CodeType
from typing import Any
from urllib.parse import urlsplit

from jinja2 import BytecodeCache, ChoiceLoader, Environment, PackageLoader, StrictUndefined
from jinja2.bccache import Bucket
from starlette.responses import HTMLResponse, Response

from openbooking.settings import Settings

STYLE_PATH = "/pages.css"
FAVICON_PATH = "/favicon.svg"

_PACKAGE = "openbooking.web"
_A_YEAR = 31_536_000
_CACHED = {"Cache-Control": "public, max-age=900"}


def origin_of(url: str) -> str:
    """Return the origin of a URL: its scheme, host and port, as a source in a Content-Security-Policy."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class CompiledTemplates(BytecodeCache):
    """The compiled templates of this process, which environments with the same options share.

    A template takes longer to compile than to render.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Set the code of a template if the same source has been compiled before."""
        bucket.code = self._known.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code of a template that has just been compiled."""
        if bucket.code:
            self._known[bucket.key, bucket.checksum] = bucket.code


_COMPILED = CompiledTemplates()


class Renderer:
    """Renders the templates of pages.

    Args:
        settings: The settings, of which pages show the name of the Booking System.
        package: A package with more templates, which extend those of the web.
    """

    def __init__(self, settings: Settings, package: str = "") -> None:
        self._settings = settings
        self.is_secure = urlsplit(settings.site).scheme == "https"
        self.root = settings.site_path
        self._templates = Environment(
            loader=ChoiceLoader([PackageLoader(each) for each in (_PACKAGE, package) if each]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            bytecode_cache=_COMPILED,
        )
        self._templates.globals["root"] = self.root

    def add_filters(self, **filters: Callable[..., str]) -> None:
        """Add filters that templates can use, by their names."""
        self._templates.filters.update(filters)

    def page(
        self,
        template: str,
        values: Mapping[str, Any],
        *,
        status: HTTPStatus = HTTPStatus.OK,
        form_targets: Iterable[str] = (),
        image_sources: Iterable[str] = (),
    ) -> Response:
        """Return a page, which no cache may keep.

        Args:
            template: The name of the template.
            values: The values for the template.
            status: The HTTP status.
            form_targets: The other sites to which the forms of the page may redirect.
            image_sources: The other sites whose pictures the page may show.
        """
        shown = self._templates.get_template(template).render(
            **{
                "service": self._settings.name,
                "style_path": self.root + STYLE_PATH,
                "icon_path": self.root + FAVICON_PATH,
                "brand": "",
                "logo": "",
                "theme_path": "",
                "form_token": "",
                "user": None,
                "menu": [],
                "problem": None,
                **values,
            }
        )
        headers = {**self._headers(form_targets, image_sources), "Cache-Control": "no-store"}
        return HTMLResponse(shown, status, headers)

    def asset(self, template: str, media_type: str, **values: Any) -> Response:
        """Return a stylesheet or picture, which caches may keep for 15 minutes."""
        text = self._templates.get_template(template).render(**values)
        return Response(text, headers={**self._headers((), ()), **_CACHED}, media_type=media_type)

    def _headers(self, form_targets: Iterable[str], image_sources: Iterable[str]) -> dict[str, str]:
        """Return headers that forbid scripts, styles and pictures of other sites, frames, and referrers."""
        # Browsers apply form-action to each redirect that follows a form, too.
        targets, images = (" ".join(["'self'", *sources]) for sources in (form_targets, image_sources))
        policy = f"default-src 'none'; style-src 'self'; img-src {images}; form-action {targets}"
        headers = {
            "Content-Security-Policy": f"{policy}; frame-ancestors 'none'; base-uri 'none'",
            "X-Frame-Options": "DENY",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin",
        }
        return headers | ({"Strict-Transport-Security": f"max-age={_A_YEAR}"} if self.is_secure else {})
