"""The keys that sign tokens: they are generated, published for verification, and rotated."""

import asyncio
import base64
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from math import inf
from typing import Annotated, Any, TypedDict, TypeVar

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey

from openbooking.clock import Clock
from openbooking.identity.policy import IdentityPolicy
from openbooking.identity.records import SigningKey
from openbooking.identity.store import IdentityStore

ALGORITHM = "RS256"
_KEY_BITS = 2048
# A process may sign with the previous key until it reloads the keys.
_RELOAD_EVERY = timedelta(seconds=60)
_CLOCK_STEP = timedelta(microseconds=1)
_MAX_CACHED = 10_000

Claims = Mapping[str, Any]
T = TypeVar("T")


class JwkSet(TypedDict):
    """The public keys with which clients check tokens (RFC 7517 5)."""

    keys: list[dict[str, Any]]


class InvalidSignatureError(Exception):
    """The token is malformed, or has no valid signature of this provider."""


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The header of a token. Other members than these are refused."""

    alg: str
    typ: str
    kid: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]+$")]


def new_signing_key(now: datetime) -> SigningKey:
    """Return a new RSA key. This takes almost a second."""
    made = RSAKey.generate_key(_KEY_BITS, {"use": "sig", "alg": ALGORITHM}, auto_kid=True)
    return SigningKey(kid=made.kid or "", created=now, jwk=dict(made.as_dict(private=True)))


def keys_in_use(keys: Sequence[SigningKey], policy: IdentityPolicy, now: datetime) -> list[SigningKey]:
    """Return the newest key, and the older keys whose tokens may still be valid; newest first."""
    newest_first = _newest_first(keys)
    usable_for = policy.access_token_lifetime + policy.clock_skew + _RELOAD_EVERY
    successors = [None, *newest_first]
    return [
        key
        for key, successor in zip(newest_first, successors, strict=False)
        if successor is None or successor.created + usable_for > now
    ]


class SigningKeys:
    """Signs and verifies tokens with the keys in the store, which several processes may share."""

    def __init__(self, store: IdentityStore, policy: IdentityPolicy, clock: Clock) -> None:
        self._store = store
        self._policy = policy
        self._clock = clock
        self._keys: list[SigningKey] = []
        self._key_set = KeySet([])
        self._reloaded = -inf
        self._verified_tokens: dict[tuple[str, str], Any] = {}

    async def sign(self, type_: str, claims: Claims) -> str:
        """Return the claims as a JWT of the media type `type_`, signed by the newest key."""
        await self._reload_if_due()
        newest = self._key_set.get_by_kid(self._keys[0].kid)
        header = {"alg": ALGORITHM, "typ": type_, "kid": newest.kid}
        return jwt.encode(header, dict(claims), newest, algorithms=[ALGORITHM])

    async def verify(self, type_: str, token: str, read: Callable[[Claims], T]) -> T:
        """Verify the signature of a JWT and return its content. The token may have expired.

        Results are cached until the keys are reloaded. If the key is unknown, the keys are reloaded, because another
        process may have made the key recently.

        Args:
            type_: The media type of the token. Each type must always be read by the same function.
            token: The token.
            read: Returns the content of verified claims.

        Raises:
            InvalidSignatureError: The token is malformed or not signed by this provider.
        """
        await self._reload_if_due()
        known = self._verified_tokens.get((type_, token))
        if known is not None:
            found: T = known
            return found
        header = _read_header(token)
        if header.typ != type_:
            raise InvalidSignatureError
        if all(key.kid != header.kid for key in self._keys):
            if not await self._store.find(SigningKey, kid=header.kid):
                raise InvalidSignatureError
            await self._reload()
        return self._cache(type_, token, read(self._verified(token)))

    async def public_keys(self) -> JwkSet:
        """Return the public keys as a JWK Set."""
        await self._reload()
        return {"keys": self._key_set.as_dict(private=False)["keys"]}

    async def rotate(self, *, at_once: bool = False) -> SigningKey:
        """Make a new key, which signs from now on. With `at_once`, the tokens of all other keys become invalid."""
        before = await self._store.find(SigningKey)
        # The newest key signs. The new key must be the newest, even if a wrong clock dated another key in the future.
        created = max([self._clock(), *(key.created + _CLOCK_STEP for key in before)])
        made = await asyncio.to_thread(new_signing_key, created)
        await self._store.save(made)
        if at_once:
            for key in before:
                await self._store.remove(SigningKey, kid=key.kid)
        await self._reload()
        return made

    async def list_keys(self) -> list[SigningKey]:
        """Return all keys in the store, newest first."""
        return _newest_first(await self._store.find(SigningKey))

    async def rotate_if_due(self) -> None:
        """Make a key if there is no key or the newest key is too old. Remove the keys that are out of use.

        No key counts as old while the clock is not trusted.
        """
        keys, now = await self._store.find(SigningKey), self._clock()
        if not keys:
            await self.rotate()
        if not keys or not self._clock.is_trusted():
            return
        kept = keys_in_use(keys, self._policy, now)
        for key in keys:
            if key not in kept:
                await self._store.remove(SigningKey, kid=key.kid)
        if now - kept[0].created >= self._policy.signing_key_lifetime:
            await self.rotate()

    def _cache(self, type_: str, token: str, found: T) -> T:
        if len(self._verified_tokens) >= _MAX_CACHED:
            self._verified_tokens.clear()
        self._verified_tokens[type_, token] = found
        return found

    def _verified(self, token: str) -> Claims:
        try:
            return jwt.decode(token, self._key_set, algorithms=[ALGORITHM]).claims
        except (JoseError, ValueError) as fault:
            raise InvalidSignatureError from fault

    async def _reload_if_due(self) -> None:
        if self._clock.monotonic() - self._reloaded >= _RELOAD_EVERY.total_seconds():
            await self._reload()

    async def _reload(self) -> None:
        self._keys = keys_in_use(await self._store.find(SigningKey), self._policy, self._clock())
        self._key_set = KeySet([RSAKey.import_key(dict(key.jwk)) for key in self._keys])
        self._reloaded = self._clock.monotonic()
        self._verified_tokens.clear()


def _newest_first(keys: Sequence[SigningKey]) -> list[SigningKey]:
    return sorted(keys, key=lambda key: (key.created, key.kid), reverse=True)


def _read_header(token: str) -> _Header:
    """Return the header of a JWT, or raise InvalidSignatureError if the token has another form."""
    header, *others = token.split(".")
    try:
        read = msgspec.json.decode(base64.urlsafe_b64decode(f"{header}=="), type=_Header)
    except ValueError as fault:
        raise InvalidSignatureError from fault
    if len(others) != len(("claims", "signature")):
        raise InvalidSignatureError
    return read
