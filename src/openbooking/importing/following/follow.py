"""`follow_feeds` follows several feeds in one process, each in a task of its own."""

import asyncio
from collections.abc import Sequence

from openbooking.importing.errors import ImportRefusedError
from openbooking.importing.following.feed_follower import FeedFollower, Means
from openbooking.importing.reading.source import source_of
from openbooking.importing.sellers import check_seller_exists
from openbooking.openactive.web_addresses import is_web_address
from openbooking.user_error import UserError


async def follow_feeds(urls: Sequence[str], means: Means) -> None:
    """Follow feeds until this is cancelled. A feed that cannot be followed any further does not stop the others.

    Args:
        urls: The URLs of the feeds.
        means: The means of all followers.

    Raises:
        ImportRefusedError: A URL is no web address or is given twice, the Seller does not exist, or none of the feeds
            can be followed any further.
    """
    check_seller_exists(means.options.seller, await means.store.sellers())
    followers: dict[str, FeedFollower] = {}
    for url in urls:
        if not is_web_address(url):
            raise ImportRefusedError(f"{url} is no URL of a feed; only feeds can be followed.")
        source = source_of(url)
        if source.name in followers:
            raise ImportRefusedError(f"{source.name} is given twice.")
        followers[source.name] = FeedFollower(url, source, means)
    await asyncio.gather(*(_run(follower, means) for follower in followers.values()))
    raise ImportRefusedError("No feed can be followed any further.")


async def _run(follower: FeedFollower, means: Means) -> None:
    try:
        await follower.run()
    except UserError as refusal:
        means.tell(str(refusal))
