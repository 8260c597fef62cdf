"""A client of the OpenID provider from another project: that of Authlib."""

from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken

__all__ = ["AsyncOAuth2Client", "CodeIDToken"]
