"""The switches of the other Booking System: in what it lawfully differs from ours."""

from typing import Literal

import msgspec


class Differences(msgspec.Struct, frozen=True, kw_only=True):
    """How the other Booking System differs. The default values are lawful, and all differ from our Booking System.

    Attributes:
        access: How a Broker proves who it is (OB-AUTH-02).
        access_code_names: Whether an `accessCode` has a `name` beside its `description` (OB-ACC-05 is a SHOULD).
        api_key_header: The header of the API key. `Authorization` expects `Bearer` before the key.
        booking_errors: What P and B reply if items have errors (OB-B-08, AMB-10): one `UnableToProcessOrderItemError`,
            or the Order with an error at each item.
        charset: Whether the `Content-Type` names the character set.
        content_url_lists: Whether one `DataDownload` of the dataset site lists several feeds.
        context: Whether `@context` is a text, or a list that also names further vocabularies.
        dates: How instants are written (OB-FEED-25): in the zone of the Seller without seconds, or in UTC.
        deleted_again: The status of the DELETE of a deleted Order (AMB-25).
        endpoint_slash: Whether the advertised Base URI ends in a slash (AMB-02).
        errors: Whether an error has all properties of OB 10.2, its `@type` alone, or no body.
        escapes: Whether JSON has escapes for all characters outside ASCII.
        extra_properties: Whether each object has properties that no Broker knows.
        feed_identifier: Whether Orders in the feed have an `identifier`. OB-OF-10 demands it.
        feed_opportunities: How the Orders feed shows the Opportunity of an item (OB-OF-17, AMB-19).
        feed_unchanged_items: Whether items of the Orders feed that have not changed are shown in full. OB-OF-15
            demands it.
        full_type_addresses: Which objects have the address of their class as `@type`. JSON-LD has the same meaning
            with and without the address. Questions are those of intake forms.
        flag_texts: Whether the `valueRequired` of a question is text, as the table of OB 10.1.21 says (AMB-34).
        item_order: Whether replies list items in the order of the request, or the other way round (OB-VAL-27).
        lists_of_one: Whether a list with one member is written as the member. JSON-LD has the same meaning for both.
        modified: How feeds write `modified` (OB-FEED-22).
        next_links: Whether the `next` of a feed is absolute. OB-FEED-12 demands it.
        numeric_ids: Whether the items of open feeds have numbers as ids. OB-FEED-34 is a rule of tools only.
        order_status: The status of GET on an Order; 200 if Order Status is implemented (OB-OST-01, OB-OST-08).
        page_size: The most items on a page of a feed.
        prepayment: The name of the property that says whether a payment is needed (AMB-04); empty if it is not
            supported (OB-PREP-01 is a MAY).
        prices: How prices are written (AMB-31). `mixed` writes whole amounts as integers and others as text.
        proposal_items: Whether items of a reply to P follow the prose of OB 5.5 or the Test Suite (AMB-15, AMB-16).
        proposal_status_list: Whether `orderProposalStatus` is a list with one member (AMB-29).
        proposals_feed: Whether changed proposals are in the Orders feed or in a feed of their own (AMB-23).
        references: Whether a reference is the `@id` as text, or an object with `@type` and `@id` (AMB-07).
        repeated_booking: The status of a repeated B or P (AMB-06).
        repeated_items: Whether each page of a feed begins with the last item of the page before. OB-FEED-10 forbids
            it, and some systems do it.
        request_id_header: Whether the header `X-Request-Id` names the request. Errors themselves never do.
        token_seconds: How long an access token is valid.
    """

    access: Literal["api key", "client credentials"] = "api key"
    access_code_names: bool = True
    api_key_header: str = "Authorization"
    booking_errors: Literal["one", "items"] = "one"
    charset: bool = True
    content_url_lists: bool = False
    context: Literal["text", "list"] = "list"
    dates: Literal["local", "utc"] = "local"
    deleted_again: Literal[204, 404] = 404
    endpoint_slash: bool = True
    errors: Literal["full", "type", "empty"] = "type"
    escapes: bool = True
    extra_properties: bool = True
    feed_identifier: bool = True
    feed_opportunities: Literal["reference", "full"] = "full"
    feed_unchanged_items: Literal["full", "brief"] = "full"
    full_type_addresses: Literal["none", "questions", "all"] = "none"
    flag_texts: bool = False
    item_order: Literal["sent", "reversed"] = "reversed"
    lists_of_one: Literal["list", "member"] = "list"
    modified: Literal["number", "text"] = "number"
    next_links: Literal["absolute", "relative"] = "absolute"
    numeric_ids: bool = True
    order_status: Literal[200, 404, 405] = 405
    page_size: int = 3
    prepayment: Literal["prepayment", "openBookingPrepayment", ""] = "prepayment"
    prices: Literal["number", "text", "mixed"] = "mixed"
    proposal_items: Literal["prose", "suite"] = "prose"
    proposal_status_list: bool = False
    proposals_feed: Literal["shared", "separate"] = "shared"
    references: Literal["text", "object"] = "object"
    repeated_booking: Literal[200, 201] = 200
    repeated_items: bool = False
    request_id_header: bool = True
    token_seconds: int = 900
