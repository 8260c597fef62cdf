"""The settings: name, type, default and description of each, and the checks that involve several settings."""

from datetime import timedelta
from functools import cache
from typing import Annotated, Any, get_type_hints
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta
from msgspec.structs import force_setattr

from openbooking.booking.model.policy import HoldingBounds, Leasing, Policy, ReconciliationDetails, TaxCalculation
from openbooking.identity.policy import IdentityPolicy, SecondFactorMode
from openbooking.settings.bounds import (
    Days,
    DaysOrZero,
    Hours,
    Minutes,
    NotNegative,
    Port,
    Positive,
    Seconds,
    SecondsOrZero,
    WaitSeconds,
    WaitSecondsOrZero,
    Workers,
)
from openbooking.settings.choices import AccessMode, SettingsError, SmtpSecurity
from openbooking.settings.contradictions import contradictions
from openbooking.settings.messages import wrong_value
from openbooking.site_address import LOCAL_HOSTS, is_local

# Marks a setting that changes the messages of the Open Booking API. Each value of such a setting is in a profile in
# `conformance/`, so that the OpenActive Test Suite runs with every value.
_PROTOCOL = Meta(extra_json_schema={"protocol": True})
# Marks a secret, which is not shown, and a location with a password, which is shown without it. Both can be in files of
# their own.
_SECRET = Meta(extra_json_schema={"writeOnly": True})
_WITH_PASSWORD = Meta(extra_json_schema={"holdsPassword": True})


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of one Booking System."""

    database: Annotated[
        str, _WITH_PASSWORD, Meta(description="The SQLite file, or the postgresql:// URL of a database.")
    ] = "openbooking.sqlite3"
    replica: Annotated[
        str, _WITH_PASSWORD, Meta(description="The URL of a PostgreSQL replica to read feeds from, if any.")
    ] = ""
    host: Annotated[str, Meta(description="The address to listen on.")] = "127.0.0.1"
    port: Annotated[Port, Meta(description="The port to listen on.")] = 8000
    workers: Annotated[Workers, Meta(description="The number of processes that serve.")] = 1
    site_url: Annotated[
        str,
        Meta(description="The public URL of this server; by default made from host and port."),
    ] = ""
    api_path: Annotated[str, Meta(description="The path of the Open Booking API below site_url.")] = "/api"
    name: Annotated[str, Meta(description="The name of this Booking System, shown to Brokers and Customers.")] = (
        "Openbooking"
    )
    publisher: Annotated[
        str, Meta(description="The publisher of the open data; by default the only Seller, else the name.")
    ] = ""
    publisher_email: Annotated[str, Meta(description="The email address of the publisher.")] = ""
    booking_service: Annotated[bool, _PROTOCOL, Meta(description="Whether replies name this Booking System.")] = True
    time_zone: Annotated[
        str, Meta(description="The time zone of timetables, and of times in messages to people, by its IANA name.")
    ] = "Europe/London"
    publish_ahead_days: Annotated[
        Days,
        Meta(
            description="Days before its date on which an occurrence of a timetable is published. If they become "
            "fewer, what is on sale stays on sale, and follows each change of the timetable."
        ),
    ] = 56
    single_seller: Annotated[str, _PROTOCOL, Meta(description="The key of the only Seller, if there is only one.")] = ""
    leasing: Annotated[
        Leasing, _PROTOCOL, Meta(description="When spaces are held: off, named (from C2) or anonymous (from C1).")
    ] = Leasing.NAMED
    lease_seconds: Annotated[Seconds, Meta(description="Seconds that a Lease lasts.")] = 900
    guarantee_seconds: Annotated[
        Seconds, Meta(description="Seconds for which quotes that extend a Lease keep its first prices and terms.")
    ] = 1_800
    proposal_seconds: Annotated[
        Seconds, Meta(description="Seconds within which an OrderProposal must be approved and booked.")
    ] = 259_200
    hold_seconds: Annotated[
        Seconds, Meta(description="Seconds for which quotes with one Order UUID may hold spaces without a break.")
    ] = 3_600
    orders_cancelled_unasked: Annotated[
        NotNegative, Meta(description="The most Orders that an import may cancel without confirmation.")
    ] = 10
    confirm_customers: Annotated[
        NotNegative,
        Meta(description="The most Customers that a decision on the console may concern without their number typed."),
    ] = 10
    proposal_hold_seconds: Annotated[
        Seconds, Meta(description="Seconds for which an OrderProposal may hold spaces.")
    ] = 86_400
    hold_share: Annotated[
        float,
        Meta(
            gt=0, le=1, description="The share of the spaces of an Opportunity, if over 10, that one partner may hold."
        ),
    ] = 0.5
    open_quotes: Annotated[Positive, Meta(description="The most OrderQuotes that hold spaces for one partner.")] = 5_000
    open_proposals: Annotated[
        Positive, Meta(description="The most OrderProposals that may hold spaces for one partner.")
    ] = 500
    open_quote_bytes: Annotated[
        Positive, Meta(description="The most bytes that the open OrderQuotes of one partner may take.")
    ] = 20_000_000
    prepayment: Annotated[
        bool, _PROTOCOL, Meta(description="Whether openBookingPrepayment is published with totals.")
    ] = True
    tax: Annotated[
        TaxCalculation,
        _PROTOCOL,
        Meta(description="When tax is calculated: always, consumers (not for resellers or businesses) or never."),
    ] = TaxCalculation.ALWAYS
    offer_overrides: Annotated[
        bool,
        _PROTOCOL,
        Meta(description="Whether a Seller may let a Booking Partner set its own prices (partner grant)."),
    ] = False
    dynamic_accounts: Annotated[
        str,
        _PROTOCOL,
        Meta(
            description="The accountIds with which a Seller may let partners book without a price (partner grant), "
            "separated by commas; * for any."
        ),
    ] = ""
    reconciliation_name: Annotated[str, _PROTOCOL, Meta(description="The name that payments must have, if any.")] = ""
    reconciliation_account_id: Annotated[
        str, _PROTOCOL, Meta(description="The accountId that payments must have, if any.")
    ] = ""
    reconciliation_payment_provider_id: Annotated[
        str, _PROTOCOL, Meta(description="The paymentProviderId that payments must have, if any.")
    ] = ""
    terms_of_service: Annotated[
        str, _PROTOCOL, Meta(description="The https URL of this Booking System's terms, if any.")
    ] = ""
    terms_require_consent: Annotated[
        bool, _PROTOCOL, Meta(description="Whether Customers must agree to the terms.")
    ] = False
    terms_modified: Annotated[
        str, _PROTOCOL, Meta(description="When the terms were last changed, as an ISO 8601 instant.")
    ] = ""
    max_body_bytes: Annotated[Positive, Meta(description="The most bytes of a request body.")] = 1_000_000
    max_order_items: Annotated[Positive, Meta(description="The most OrderItems in one Order.")] = 500
    max_published_bytes: Annotated[
        Positive, Meta(description="The most bytes that an Opportunity or a Seller may take to be published.")
    ] = 250_000
    max_order_bytes: Annotated[
        Positive, Meta(description="The most bytes that an Order may take, with its copies of Opportunities.")
    ] = 10_000_000
    requests_per_minute: Annotated[
        int,
        Meta(ge=0, description="The most requests a minute that one partner may send to each process; 0 for no limit."),
    ] = 0
    retention_days: Annotated[
        DaysOrZero,
        Meta(description="Days after the last session of an Order until its personal data is erased; 0 for never."),
    ] = 0
    log_requests: Annotated[
        bool,
        Meta(description="Whether to log every request, instead of only requests that change data or are refused."),
    ] = False
    drain_seconds: Annotated[
        WaitSecondsOrZero,
        Meta(description="Seconds to keep serving after SIGTERM, with /readyz failing, before shutdown."),
    ] = 0.0
    metrics_token: Annotated[
        str, _SECRET, Meta(description="The bearer token for /metrics. Without a token, /metrics is off.")
    ] = ""
    command_seconds: Annotated[
        WaitSeconds,
        Meta(description="Seconds that a request waits for the database and for locked rows."),
    ] = 10.0
    sweep_seconds: Annotated[WaitSeconds, Meta(description="Seconds between two sweeps that end Leases.")] = 2.0
    access: Annotated[
        AccessMode,
        _PROTOCOL,
        Meta(description="How callers are authenticated: api-key, openid (access tokens or API keys) or headers."),
    ] = AccessMode.API_KEY
    access_token_seconds: Annotated[Seconds, Meta(description="Seconds that an access token lasts.")] = 900
    refresh_token_days: Annotated[Days, Meta(description="Days that an unused refresh token lasts.")] = 90
    refresh_leeway_seconds: Annotated[
        SecondsOrZero,
        Meta(description="Seconds for which a used refresh token works again, for clients that repeat a request."),
    ] = 0
    signing_key_days: Annotated[Days, Meta(description="Days until the key that signs tokens is replaced.")] = 90
    session_hours: Annotated[Hours, Meta(description="Hours that people stay signed in.")] = 12
    second_factor: Annotated[
        SecondFactorMode,
        Meta(description="Whether people also sign in with a code of an app: off, optional or required."),
    ] = SecondFactorMode.OFF
    smtp_host: Annotated[
        str,
        Meta(description="The mail server through which staff who want it are told of proposals; without it, none."),
    ] = ""
    smtp_port: Annotated[Port, Meta(description="The port of the mail server.")] = 587
    smtp_security: Annotated[
        SmtpSecurity, Meta(description="How the connection to the mail server is encrypted: starttls, tls or none.")
    ] = SmtpSecurity.STARTTLS
    smtp_user: Annotated[str, Meta(description="The user name at the mail server, if it asks for one.")] = ""
    smtp_password: Annotated[str, _SECRET, Meta(description="The password at the mail server.")] = ""
    smtp_from: Annotated[str, Meta(description="The address from which e-mail is sent.")] = ""
    proposal_mail_minutes: Annotated[
        Minutes, Meta(description="The least minutes between two e-mails about proposals to one person.")
    ] = 15
    dataset_logo: Annotated[
        str,
        Meta(description="The logo on the dataset site: an https URL, or a file (SVG, PNG, JPEG, WebP) to serve."),
    ] = ""
    dataset_background: Annotated[
        str, Meta(description="The wide picture on the dataset site: an https URL, or a file to serve.")
    ] = ""
    feedback_url: Annotated[
        str,
        Meta(description="The https URL at which people discuss the open data, such as a page of issues; if any."),
    ] = ""
    data_documentation_url: Annotated[
        str, Meta(description="The https URL of documentation of the feeds; by default that of OpenActive.")
    ] = ""
    api_documentation_url: Annotated[
        str,
        Meta(description="The https URL of documentation of the API; by default /docs, or else that of OpenActive."),
    ] = ""
    api_terms_url: Annotated[
        str, Meta(description="The https URL of the terms of the API for Brokers; by default a page of this server.")
    ] = ""
    api_access_url: Annotated[
        str, Meta(description="The https URL at which Brokers ask for access; by default the form of this server.")
    ] = ""
    trial_system_url: Annotated[
        str,
        Meta(description="The https URL of a system with made-up data, at which Brokers may try their apps; if any."),
    ] = ""
    conformance_certificate: Annotated[
        str,
        Meta(description="The certificate of the OpenActive Test Suite: its https URL, or the file to serve; if any."),
    ] = ""
    data_catalog: Annotated[
        str,
        Meta(
            description="The URLs of the dataset sites of other installations, separated by commas; with them, a Data "
            "Catalog is served at /data-catalog."
        ),
    ] = ""
    open_referral: Annotated[
        bool, Meta(description="Whether the services are also published as Open Referral UK, at /open-referral.")
    ] = False
    access_request_days: Annotated[
        Days, Meta(description="Days after which a request of developers for access to the API is erased.")
    ] = 90
    administrator_email: Annotated[
        str,
        Meta(description="The address that is told by e-mail of requests for access; by default publisher_email."),
    ] = ""
    trusted_proxies: Annotated[
        str,
        Meta(description="IP addresses or networks of proxies whose X-Forwarded headers are trusted, by commas."),
    ] = "127.0.0.1"
    trusted_partner_header: Annotated[
        str,
        _PROTOCOL,
        Meta(description="With access by headers, the header in which a gateway names the Booking Partner."),
    ] = ""
    trusted_seller_header: Annotated[
        str,
        _PROTOCOL,
        Meta(description="With access by headers, the header in which a gateway names the Seller of the request."),
    ] = ""
    test_interface: Annotated[
        bool, Meta(description="Whether everybody may create and delete data through the OpenActive test interface.")
    ] = False

    def __post_init__(self) -> None:
        """Check each value, and replace the text of an enumeration's value by the value.

        Raises:
            SettingsError: A value has the wrong type or is out of bounds, or two settings contradict each other.
        """
        for name, type_ in field_types().items():
            value = getattr(self, name)
            try:
                force_setattr(self, name, msgspec.convert(value, type_))
            except msgspec.ValidationError as fault:
                message = wrong_value(name, value, type_, is_secret=name in settings_in_files())
                raise SettingsError(message) from fault
        if found := list(contradictions(self)):
            raise SettingsError(" ".join(found))

    @property
    def site(self) -> str:
        """The public URL of the server, without a slash at its end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (self.site_url or f"http://{host}:{self.port}").rstrip("/")

    @property
    def site_path(self) -> str:
        """The path in the public URL, without a slash at its end: `/booking`, or empty at the root of a host."""
        return urlsplit(self.site).path

    @property
    def is_local(self) -> bool:
        """Whether the site is on localhost without TLS, as for a trial."""
        return is_local(urlsplit(self.site))

    @property
    def local_but_open(self) -> bool:
        """Whether the address is on localhost although the server also listens to other machines."""
        return self.is_local and self.host not in LOCAL_HOSTS

    @property
    def base_uri(self) -> str:
        """The Base URI of the Open Booking API, without a slash at its end (AMB-02)."""
        return self.site + "/" + self.api_path.strip("/") if self.api_path.strip("/") else self.site

    @property
    def policy(self) -> Policy:
        """The settings that decisions depend on."""
        return Policy(
            leasing=self.leasing,
            lease_duration=timedelta(seconds=self.lease_seconds),
            guarantee_duration=timedelta(seconds=self.guarantee_seconds),
            bounds=HoldingBounds(
                quote_duration=timedelta(seconds=self.hold_seconds),
                proposal_duration=timedelta(seconds=self.proposal_hold_seconds),
                share=self.hold_share,
                quotes=self.open_quotes,
                proposals=self.open_proposals,
                bytes=self.open_quote_bytes,
            ),
            proposal_duration=timedelta(seconds=self.proposal_seconds),
            prepayment=self.prepayment,
            tax=self.tax,
            reconciliation=self._reconciliation,
            offer_overrides=self.offer_overrides,
            dynamic_accounts=self._dynamic_accounts,
            time_zone=ZoneInfo(self.time_zone),
            publish_ahead=timedelta(days=self.publish_ahead_days),
            max_published_bytes=self.max_published_bytes,
            max_order_bytes=self.max_order_bytes,
        )

    @property
    def identity_policy(self) -> IdentityPolicy:
        """The settings of the OpenID provider."""
        return IdentityPolicy(
            issuer=self.site,
            audience=self.base_uri,
            access_token_lifetime=timedelta(seconds=self.access_token_seconds),
            refresh_token_lifetime=timedelta(days=self.refresh_token_days),
            refresh_leeway=timedelta(seconds=self.refresh_leeway_seconds),
            signing_key_lifetime=timedelta(days=self.signing_key_days),
            session_lifetime=timedelta(hours=self.session_hours),
            second_factor=self.second_factor,
            access_requests_kept=timedelta(days=self.access_request_days),
        )

    @property
    def _dynamic_accounts(self) -> frozenset[str] | None:
        """The accountIds of `dynamic_accounts`: None for no account, an empty set for any account."""
        accounts = frozenset(filter(None, (account.strip() for account in self.dynamic_accounts.split(","))))
        if not accounts:
            return None
        return frozenset() if "*" in accounts else accounts

    @property
    def _reconciliation(self) -> ReconciliationDetails | None:
        """The details that payments must have, if any."""
        details = ReconciliationDetails(
            name=self.reconciliation_name or None,
            account_id=self.reconciliation_account_id or None,
            payment_provider_id=self.reconciliation_payment_provider_id or None,
        )
        return None if details == ReconciliationDetails() else details


@cache
def field_types() -> dict[str, Any]:
    """Return the types of the settings by name, with their bounds and descriptions."""
    return get_type_hints(Settings, include_extras=True)


@cache
def _marked(*marks: str) -> frozenset[str]:
    """Return the names of the settings that have one of the marks."""
    fields = msgspec.inspect.type_info(Settings).fields  # type: ignore[attr-defined]
    return frozenset(field.name for field in fields if set(marks) & (field.type.extra_json_schema or {}).keys())


def secret_settings() -> frozenset[str]:
    """Return the names of the settings whose values are secrets."""
    return _marked("writeOnly")


def settings_in_files() -> frozenset[str]:
    """Return the names of the settings that can be in files of their own: secrets, and locations with passwords."""
    return _marked("writeOnly", "holdsPassword")


def protocol_settings() -> frozenset[str]:
    """Return the names of the settings that change the messages of the Open Booking API."""
    return _marked("protocol")
