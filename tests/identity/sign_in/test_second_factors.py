"""Sign-in with a second factor, where it is required or the user has set one up."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from pyotp import TOTP

from openbooking.identity.policy import SecondFactorMode
from openbooking.identity.records import Attempts, IdentityRecord, PendingSignIn, Role, SecondFactor, Session, User
from openbooking.identity.sign_in.accounts import SignInRefusedError, UnknownUserError
from openbooking.identity.sign_in.attempt_limiter import Browser, TooManyAttemptsError
from openbooking.identity.sign_in.second_factors import Enrolment, Pending, WrongCodeError
from openbooking.identity.sign_in.sessions import NextStep, SignInResult
from support.identity_provider import BROWSER, PASSWORD, POLICY, Desk
from support.parties import MANAGER

pytestmark = pytest.mark.anyio

NEW = "lampshade orbit cabbage"
# The secret of the examples in RFC 6238, appendix B.
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
STRANGER = Browser("198.51.100.7")


@pytest.fixture
async def required() -> Desk:
    """A provider that requires a second factor."""
    return await Desk(replace(POLICY, second_factor=SecondFactorMode.REQUIRED)).open()


@pytest.fixture
async def optional() -> Desk:
    """A provider where a second factor is optional."""
    return await Desk(replace(POLICY, second_factor=SecondFactorMode.OPTIONAL)).open()


def code(desk: Desk, secret: str, steps: int = 0) -> str:
    """Return the code that the app shows now, or `steps` half minutes later."""
    return TOTP(secret).at(desk.clock(), counter_offset=steps)


async def step(desk: Desk, result: SignInResult) -> Pending:
    """Return the pending sign-in."""
    pending = await desk.provider.second_factors.pending(result.secret)
    assert pending
    return pending


async def password(desk: Desk, browser: Browser = BROWSER) -> Pending:
    """Sign in as ann with her password."""
    return await step(desk, await desk.provider.accounts.sign_in("ann", PASSWORD, browser))


async def enrolled(desk: Desk) -> tuple[str, Enrolment]:
    """The secret of the app of ann, and her recovery codes."""
    if desk.provider.policy.second_factor is SecondFactorMode.REQUIRED:
        pending = await password(desk)
        secret = pending.sign_in.offered
        return secret, await desk.provider.second_factors.enrol_pending(pending, code(desk, secret), BROWSER)
    signed_in = await desk.signed_in("ann")
    secret = await desk.provider.second_factors.offer(signed_in)
    signed_in = signed_in._replace(session=(await desk.store.find(Session, digest=signed_in.session.digest))[0])
    return secret, await desk.provider.second_factors.enrol(signed_in, PASSWORD, code(desk, secret), BROWSER)


async def with_factor(desk: Desk, last_step: int = 0) -> None:
    """Set up a second factor for ann."""
    (ann,) = await desk.store.find(User, name="ann")
    factor = SecondFactor(secret=SECRET, since=desk.clock(), last_step=last_step)
    assert await desk.store.save(replace(ann, second_factor=factor))


async def test_a_required_second_factor_is_set_up_before_anything_else(required: Desk) -> None:
    result = await required.provider.accounts.sign_in("ann", PASSWORD, BROWSER)
    assert (result.step, result.device) == (NextStep.ENROLMENT, "")
    assert await required.provider.accounts.find_session(result.secret) is None
    assert await required.store.find(Session) == []
    pending = await step(required, result)
    secret = pending.sign_in.offered
    with pytest.raises(WrongCodeError):
        await required.provider.second_factors.enrol_pending(pending, code(required, SECRET), BROWSER)
    assert await required.store.find(Session) == []
    enrolment = await required.provider.second_factors.enrol_pending(pending, code(required, secret), BROWSER)
    assert enrolment.sign_in.device
    assert await required.provider.accounts.find_session(enrolment.sign_in.secret)
    assert await required.provider.second_factors.pending(result.secret) is None


async def test_a_session_begins_after_both_steps(required: Desk) -> None:
    secret, _ = await enrolled(required)
    await required.store.remove(Session)
    required.clock.move(timedelta(minutes=1))
    pending = await password(required)
    assert await required.store.find(Session) == []
    with pytest.raises(WrongCodeError):
        await required.provider.second_factors.enter_code(pending, code(required, secret, 5), BROWSER)
    required.clock.move(timedelta(minutes=1))
    result = await required.provider.second_factors.enter_code(pending, code(required, secret), BROWSER)
    signed_in = await required.provider.accounts.find_session(result.secret)
    assert signed_in
    assert signed_in.session.started == required.clock()
    assert await required.store.find(PendingSignIn) == []


@pytest.mark.parametrize("mode", SecondFactorMode)
async def test_an_existing_second_factor_is_required_in_every_mode(mode: SecondFactorMode) -> None:
    desk = await Desk(replace(POLICY, second_factor=mode)).open()
    await with_factor(desk)
    assert (await desk.provider.accounts.sign_in("ann", PASSWORD, BROWSER)).step is NextStep.CODE
    (ann,) = await desk.store.find(User, name="ann")
    assert desk.provider.second_factors.is_available_to(ann)
    (ben,) = await desk.store.find(User, name="ben")
    assert desk.provider.second_factors.is_available_to(ben) is (mode is not SecondFactorMode.OFF)
    asked = (await desk.provider.accounts.sign_in("ben", PASSWORD, BROWSER)).step
    assert asked is (NextStep.ENROLMENT if mode is SecondFactorMode.REQUIRED else NextStep.NONE)


async def test_a_code_shown_twice_at_once_succeeds_once(optional: Desk) -> None:
    await with_factor(optional)
    pendings = [await password(optional) for _ in range(5)]
    shown, factors = code(optional, SECRET), optional.provider.second_factors
    outcomes = await asyncio.gather(
        *(factors.enter_code(pending, shown, BROWSER) for pending in pendings), return_exceptions=True
    )
    assert sum(isinstance(outcome, SignInResult) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, WrongCodeError | TooManyAttemptsError) for outcome in outcomes) == 4
    with pytest.raises(WrongCodeError):
        await factors.enter_code(await password(optional), shown, Browser("203.0.113.9"))


async def test_guesses_of_codes_are_slowed_down_despite_the_right_password(optional: Desk) -> None:
    """The right password, another address or a new sign-in do not shorten the wait."""
    await with_factor(optional)
    for number in range(5):
        pending = await password(optional, Browser(f"198.51.100.{number}"))
        with pytest.raises(WrongCodeError):
            await optional.provider.second_factors.enter_code(pending, "000000", Browser(f"198.51.100.{number}"))
    pending = await password(optional)
    for enter in (optional.provider.second_factors.enter_code, optional.provider.second_factors.enter_recovery_code):
        with pytest.raises(TooManyAttemptsError) as refusal:
            await enter(pending, code(optional, SECRET), BROWSER)
        assert refusal.value.until == optional.clock() + timedelta(seconds=30)
    optional.clock.move(timedelta(seconds=30))
    assert await optional.provider.second_factors.enter_code(pending, code(optional, SECRET), BROWSER)
    assert not [found for found in await optional.store.find(Attempts) if found.subject.startswith("code:")]


async def test_a_stranger_with_the_password_does_not_lock_out_the_known_browser(optional: Desk) -> None:
    secret, enrolment = await enrolled(optional)
    ann = BROWSER._replace(device=enrolment.sign_in.device)
    for number in range(5):
        stranger = Browser(f"198.51.100.{number}")
        with pytest.raises(WrongCodeError):
            await optional.provider.second_factors.enter_code(await password(optional, stranger), "000000", stranger)
    optional.clock.move(timedelta(seconds=29))
    with pytest.raises(TooManyAttemptsError):
        await optional.provider.second_factors.enter_code(await password(optional), code(optional, secret), STRANGER)
    pending = await password(optional, ann)
    assert await optional.provider.second_factors.enter_code(pending, code(optional, secret, 1), ann)


async def test_a_known_browser_becomes_unknown_after_ten_wrong_codes(optional: Desk) -> None:
    _, enrolment = await enrolled(optional)
    ann = BROWSER._replace(device=enrolment.sign_in.device)
    for _ in range(10):
        with pytest.raises(WrongCodeError):
            await optional.provider.second_factors.enter_code(await password(optional, ann), "000000", ann)
    for _ in range(5):
        with pytest.raises(WrongCodeError):
            await optional.provider.second_factors.enter_code(await password(optional, ann), "000000", ann)
    with pytest.raises(TooManyAttemptsError):
        await optional.provider.second_factors.enter_code(await password(optional, ann), "000000", ann)


async def test_a_pending_sign_in_expires_after_ten_minutes(optional: Desk) -> None:
    await with_factor(optional)
    result = await optional.provider.accounts.sign_in("ann", PASSWORD, BROWSER)
    optional.clock.move(timedelta(minutes=10))
    assert await optional.provider.second_factors.pending(result.secret) is None
    await optional.store.remove_expired(optional.clock())
    assert await optional.store.find(PendingSignIn) == []
    assert await optional.provider.second_factors.pending("obn_x") is None


@pytest.mark.parametrize("way", ["remove", "link", "reset", "again"])
async def test_a_pending_sign_in_ends_when_its_account_changes(optional: Desk, way: str) -> None:
    """The pending sign-in ends when the account, the password or the second factor changes."""
    await with_factor(optional)
    accounts = optional.provider.accounts
    result = await accounts.sign_in("ann", PASSWORD, BROWSER)
    pending = await step(optional, result)
    match way:
        case "link":
            assert (await accounts.use_link(await accounts.issue_link("ann", MANAGER), NEW)).step is NextStep.CODE
        case "reset":
            await optional.provider.second_factors.reset("ann", MANAGER)
        case _:
            await accounts.remove(pending.user.name, MANAGER)
            if way == "again":
                await accounts.add("ann", "centre", Role.MANAGER, MANAGER)
                await optional.store.save(replace(pending.sign_in, revision=0))
    assert await optional.provider.second_factors.pending(result.secret) is None


async def test_a_recovery_code_replaces_a_code_once(optional: Desk) -> None:
    _, enrolment = await enrolled(optional)
    factors, recovery = optional.provider.second_factors, enrolment.recovery_codes
    for shown in (recovery[0], recovery[1].upper().replace("-", " ")):
        assert await factors.enter_recovery_code(await password(optional), shown, BROWSER)
        with pytest.raises(WrongCodeError):
            await factors.enter_recovery_code(await password(optional), shown, BROWSER)
    (ann,) = await optional.store.find(User, name="ann")
    assert ann.second_factor
    assert len(ann.second_factor.recovery_digests) == 8
    assert not any(found in str(ann) for found in recovery)


async def test_setting_up_a_second_factor_ends_other_sessions(optional: Desk) -> None:
    """Other sessions began without a second factor. A session without the password cannot set one up."""
    elsewhere, signed_in = await optional.signed_in("ann"), await optional.signed_in("ann")
    factors = optional.provider.second_factors
    secret = await factors.offer(signed_in)
    (session,) = await optional.store.find(Session, digest=signed_in.session.digest)
    signed_in = signed_in._replace(session=session)
    assert await factors.offer(signed_in) == secret
    assert await factors.offer(elsewhere) != secret
    with pytest.raises(SignInRefusedError):
        await factors.enrol(signed_in, "wrong", code(optional, secret), BROWSER)
    with pytest.raises(WrongCodeError):
        await factors.enrol(elsewhere, PASSWORD, code(optional, secret), BROWSER)
    enrolment = await factors.enrol(signed_in, PASSWORD, code(optional, secret), BROWSER)
    (left,) = await optional.store.find(Session)
    now_in = await optional.provider.accounts.find_session(enrolment.sign_in.secret)
    assert now_in
    assert now_in.session == left
    with pytest.raises(WrongCodeError):
        await factors.enrol(signed_in, PASSWORD, code(optional, secret, 1), BROWSER)


async def test_removing_a_second_factor_needs_password_and_code(optional: Desk) -> None:
    secret, enrolment = await enrolled(optional)
    signed_in = await optional.provider.accounts.find_session(enrolment.sign_in.secret)
    assert signed_in
    factors = optional.provider.second_factors
    with pytest.raises(SignInRefusedError):
        await factors.remove(signed_in, "wrong", code(optional, secret, 1), BROWSER)
    for spent in (code(optional, secret), "000000", ""):
        with pytest.raises(WrongCodeError):
            await factors.remove(signed_in, PASSWORD, spent, BROWSER)
    await factors.remove(signed_in, PASSWORD, enrolment.recovery_codes[3], BROWSER)
    assert (await optional.provider.accounts.sign_in("ann", PASSWORD, BROWSER)).step is NextStep.NONE


async def test_an_administrator_resets_a_lost_second_factor(required: Desk) -> None:
    _, enrolment = await enrolled(required)
    await required.provider.second_factors.reset(" ANN ", MANAGER)
    assert await required.provider.accounts.find_session(enrolment.sign_in.secret) is None
    assert (await required.provider.accounts.sign_in("ann", PASSWORD, BROWSER)).step is NextStep.ENROLMENT
    with pytest.raises(UnknownUserError):
        await required.provider.second_factors.reset("nobody", MANAGER)


async def test_sessions_without_a_second_factor_end_once_it_is_required(optional: Desk) -> None:
    signed_in = await optional.provider.accounts.sign_in("ann", PASSWORD, BROWSER)
    assert await optional.provider.accounts.find_session(signed_in.secret)
    requires = Desk(replace(POLICY, second_factor=SecondFactorMode.REQUIRED))
    requires.provider.accounts._store = optional.store
    assert await requires.provider.accounts.find_session(signed_in.secret) is None


async def test_a_link_sets_the_password_but_does_not_replace_the_second_step(optional: Desk) -> None:
    await with_factor(optional)
    accounts = optional.provider.accounts
    result = await accounts.use_link(await accounts.issue_link("ann", MANAGER), NEW)
    assert result.step is NextStep.CODE
    assert await accounts.find_session(result.secret) is None
    pending = await step(optional, result)
    assert await optional.provider.second_factors.enter_code(pending, code(optional, SECRET), BROWSER)


async def test_a_code_starts_no_session_if_the_password_changes_meanwhile(
    optional: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, _ = await enrolled(optional)
    optional.clock.move(timedelta(minutes=5))
    accounts, save, pending = optional.provider.accounts, optional.store.save, await password(optional)
    link = await accounts.issue_link("ann", MANAGER)

    async def save_after_the_change(*records: IdentityRecord, **others: Any) -> bool:
        if isinstance(records[0], Session):
            monkeypatch.undo()
            await accounts.use_link(link, NEW)
        return await save(*records, **others)

    monkeypatch.setattr(optional.store, "save", save_after_the_change)
    with pytest.raises(WrongCodeError):
        await optional.provider.second_factors.enter_code(pending, code(optional, secret), BROWSER)
    assert await optional.store.find(Session) == []
