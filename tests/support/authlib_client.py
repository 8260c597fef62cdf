"""A client of the provider that none of us wrote: Authlib's."""

from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken

__all__ = ["AsyncOAuth2Client", "CodeIDToken"]
