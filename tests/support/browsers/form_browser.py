"""A user with a browser that has pages, forms and cookies, but no scripts."""

from html.parser import HTMLParser
from typing import Any, NamedTuple
from urllib.parse import urldefrag, urljoin, urlsplit

import httpx2


class Form(NamedTuple):
    """A form with its values, and its buttons that have a name. The action is without the place on the next page."""

    action: str
    method: str
    fields: dict[str, str]
    buttons: list[tuple[str, str]]


class Page(HTMLParser):
    """A response: a page of this site, or the address of another site to which the browser was redirected.

    `fields` are the attributes of each field, `paragraphs` the texts with an id, and `summary` the targets of the links
    of the error summary.
    """

    def __init__(self, response: httpx2.Response, left_for: str = "") -> None:
        super().__init__()
        self.response, self.left_for = response, left_for
        self.status, self.url = response.status_code, str(response.url)
        self.forms: list[Form] = []
        self.fields: dict[str, dict[str, str]] = {}
        self.paragraphs: dict[str, str] = {}
        self.summary: list[str] = []
        self._paragraph = self._text_area = self._select = ""
        self._words: list[str] = []
        self.feed("" if left_for else response.text)
        self.text = " ".join("".join(self._words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(urldefrag(told.get("action", "")).url, told.get("method", "get"), {}, []))
        elif tag in ("input", "textarea") and "name" in told:
            if told.get("type") not in ("checkbox", "radio") or "checked" in told:
                self.forms[-1].fields[told["name"]] = told.get("value", "")
            self.fields[told["name"]] = told
            self._text_area = told["name"] if tag == "textarea" else ""
        elif tag == "select":
            self._select = told["name"]
        elif tag == "option":
            # The first option is chosen unless another one is.
            if "selected" in told or self._select not in self.forms[-1].fields:
                self.forms[-1].fields[self._select] = told["value"]
        elif tag == "button" and "name" in told:
            self.forms[-1].buttons.append((told["name"], told["value"]))
        elif tag == "p":
            self._paragraph = told.get("id", "")
        elif tag == "a" and told["href"].startswith("#") and told["href"] != "#main":
            self.summary.append(told["href"].removeprefix("#"))

    def handle_endtag(self, tag: str) -> None:
        if tag == "p":
            self._paragraph = ""
        elif tag == "textarea":
            self._text_area = ""

    def handle_data(self, data: str) -> None:
        self._words.append(data)
        if self._text_area:
            self.forms[-1].fields[self._text_area] += data
        if self._paragraph:
            self.paragraphs[self._paragraph] = self.paragraphs.get(self._paragraph, "") + data

    def form(self, action: str) -> Form:
        """Return the form that is sent to this path."""
        return next(form for form in self.forms if form.action == action)


class Visitor:
    """One browser at one site."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._site = str(client.base_url).rstrip("/")
        self._client = httpx2.AsyncClient(transport=client._transport, base_url=self._site)
        self.history: list[httpx2.Response] = []

    @property
    def cookies(self) -> httpx2.Cookies:
        """The cookies of the browser."""
        return self._client.cookies

    async def open(self, url: str) -> Page:
        """Open a page."""
        return await self._go("GET", url)

    async def send(self, page: Page, action: str, button: str | None = None, **fields: str) -> Page:
        """Fill in the form that is sent to this path, and press a button."""
        form = page.form(action)
        pressed = dict([next(pair for pair in form.buttons if pair[1] == button)]) if button else {}
        return await self.post(urljoin(page.url, form.action), {**form.fields, **fields, **pressed})

    async def post(self, url: str, data: dict[str, Any]) -> Page:
        """Send these fields, whether or not a page has a form for them."""
        return await self._go("POST", url, data=data)

    async def sign_in(self, name: str, password: str, url: str = "/sign-in") -> Page:
        """Sign in, on the way to a page."""
        return await self.send(await self.open(url), "/sign-in", username=name, password=password)

    async def _go(self, method: str, url: str, **sent: Any) -> Page:
        """Follow redirects as long as they stay on this site."""
        response = await self._client.request(method, url, **sent)
        while response.is_redirect:
            self.history.append(response)
            target = urljoin(str(response.url), response.headers["location"])
            if urlsplit(target)[:2] != urlsplit(self._site)[:2]:
                return Page(response, target)
            response = await self._client.get(target)
        self.history.append(response)
        return Page(response)
