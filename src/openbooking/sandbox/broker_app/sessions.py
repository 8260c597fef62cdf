"""The signed cookie that names the Customer, and the token of forms.

A Customer is whoever has the cookie: there are no accounts and no passwords. A product signs people in, and uses the
number of the account as `customer_key`.
"""

import hashlib
import hmac
import re
import uuid

COOKIE = "broker_app"
COOKIE_SECONDS = 180 * 24 * 3600
_COOKIE = re.compile(r"([0-9a-f]{32})\.([0-9a-f]{64})")


class Sessions:
    """Signs the keys of Customers.

    Args:
        secret: The secret with which cookies are signed.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def new_key(self) -> str:
        """Return the key of a new Customer."""
        return uuid.uuid4().hex

    def cookie(self, key: str) -> str:
        """Return the value of the cookie of a Customer."""
        return f"{key}.{self._sign('cookie', key)}"

    def read(self, cookie: str) -> str | None:
        """Return the key of the Customer in a cookie; None if the cookie was not made here."""
        found = _COOKIE.fullmatch(cookie)
        if found is None or not hmac.compare_digest(found[2], self._sign("cookie", found[1])):
            return None
        return found[1]

    def form_token(self, key: str) -> str:
        """Return the token that each form of a Customer carries, so that no other site can send it (CSRF)."""
        return self._sign("form", key)

    def is_form_token(self, key: str, token: str) -> bool:
        """Return whether a token is that of the forms of a Customer."""
        return hmac.compare_digest(self.form_token(key).encode(), token.encode())

    def _sign(self, purpose: str, key: str) -> str:
        return hmac.new(self._secret, f"{purpose}:{key}".encode(), hashlib.sha256).hexdigest()
