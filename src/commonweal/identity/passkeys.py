"""Passkeys: https://www.w3.org/TR/webauthn-3/. With the person verified by the device, one is two factors by itself."""

import secrets
from urllib.parse import urlsplit

import msgspec
from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import bytes_to_base64url, parse_authentication_credential_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from commonweal.fhir.outcome import Problem
from commonweal.identity.account import ACCOUNTS, Account, Passkey, Pointer
from commonweal.identity.drawers import Taken
from commonweal.identity.house import SECOND, Identity, fresh
from commonweal.identity.kept import Kept, Secret

NAME = "Commonweal"
MOST = 20
"""Passkeys of one account."""
BROKEN = (WebAuthnException, ValueError, KeyError, TypeError, AttributeError)
"""What a hostile answer makes the library raise."""


class Challenge(Secret, frozen=True):
    """A challenge that was given out; `account` "" means: whoever answers. `purpose` is "register" or "assert"."""

    challenge: str
    account: str
    purpose: str


CHALLENGES = Kept("challenge", Challenge)
CREDENTIALS = Kept("passkey", Pointer)
"""By keyed hash of the credential's id."""


async def begin_registration(identity: Identity, account: Account) -> tuple[str, str]:
    """A handle, and the options for navigator.credentials.create() as JSON."""
    handle, challenge = await _challenged(identity, account.id, "register")
    options = generate_registration_options(
        rp_id=relying_party(identity),
        rp_name=NAME,
        user_name=account.login,
        user_display_name=account.name or account.login,
        user_id=account.id.encode(),
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=_descriptors(account),
    )
    return handle, options_to_json(options)


async def register(identity: Identity, account: str, handle: str, credential: str, name: str = "") -> Passkey:
    """`credential` is the JSON of what the device made; Problem 401 when it does not answer our challenge."""
    challenge = await _answered(identity, handle, "register")
    if challenge is None or challenge.account != account:
        raise _refused()
    verified = _registered(identity, challenge, credential)
    made = Passkey(
        bytes_to_base64url(verified.credential_id),
        bytes_to_base64url(verified.credential_public_key),
        verified.sign_count,
        name[:60],
        identity.now(),
    )
    try:
        await CREDENTIALS.put(
            identity.drawers, _place(identity, made.id), Pointer(account), owner=account, version=0
        )
    except Taken:
        raise _refused() from None

    def with_it(now: Account) -> Account:
        if len(now.passkeys) >= MOST:
            raise Problem.conflict(f"An account has at most {MOST} passkeys.")
        return msgspec.structs.replace(now, passkeys=(*now.passkeys, made))

    await ACCOUNTS.change(identity.drawers, account, with_it)
    return made


async def begin_assertion(identity: Identity, account: Account | None = None) -> tuple[str, str]:
    """A handle, and the options for navigator.credentials.get() as JSON; without an account any passkey may answer."""
    handle, challenge = await _challenged(identity, account.id if account else "", "assert")
    options = generate_authentication_options(
        rp_id=relying_party(identity),
        challenge=challenge,
        allow_credentials=_descriptors(account) if account else None,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return handle, options_to_json(options)


async def prove(identity: Identity, handle: str, credential: str, account: str = "") -> Account | None:
    """Whose passkey answers the challenge; None when none does, or another account's than the one asked."""
    challenge = await _answered(identity, handle, "assert")
    id = _credential_id(credential)
    if challenge is None or id is None or challenge.account != account:
        return None
    pointer = await CREDENTIALS.get(identity.drawers, _place(identity, id))
    if pointer is None or account not in ("", pointer.account):
        return None

    def used(now: Account) -> Account:
        passkey = next((each for each in now.passkeys if each.id == id), None)
        if passkey is None:
            raise _refused()
        verified = _asserted(identity, challenge, passkey, credential)
        later = msgspec.structs.replace(passkey, count=verified.new_sign_count)
        keys = tuple(later if each.id == id else each for each in now.passkeys)
        return msgspec.structs.replace(now, passkeys=keys)

    try:
        return await ACCOUNTS.change(identity.drawers, pointer.account, used)
    except Problem:
        return None


async def remove(identity: Identity, account: str, id: str) -> None:
    """Forget a passkey; Problem 409 for the last second factor, 404 when there is no such one."""

    def without(now: Account) -> Account:
        left = tuple(each for each in now.passkeys if each.id != id)
        if len(left) == len(now.passkeys):
            raise Problem.of("cw-nothing", what="passkey")
        if not left and now.totp is None:
            raise Problem.conflict("This is the last second factor; add another one first.")
        return msgspec.structs.replace(now, passkeys=left)

    await ACCOUNTS.change(identity.drawers, account, without)
    await identity.drawers.remove(CREDENTIALS.kind, _place(identity, id))


def relying_party(identity: Identity) -> str:
    """The host passkeys are bound to; Problem 501 while nobody knows under which address we are reached."""
    host = urlsplit(identity.base_url).hostname
    if not host:
        raise Problem.not_supported("passkeys need the setting base_url")
    return host


def origin(identity: Identity) -> str:
    """Where our pages come from, as a browser says it: without the port that goes without saying."""
    parts = urlsplit(identity.base_url.lower())
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    port = f":{parts.port}" if parts.port not in (None, usual) else ""
    return f"{parts.scheme}://{parts.hostname}{port}"


async def _challenged(identity: Identity, account: str, purpose: str) -> tuple[str, bytes]:
    handle, challenge = fresh(), secrets.token_bytes(32)
    kept = Challenge(bytes_to_base64url(challenge), account, purpose)
    until = identity.now() + identity.parameters.step_seconds * SECOND
    await CHALLENGES.put(identity.drawers, identity.hashed("challenge", handle), kept, until=until)
    return handle, challenge


async def _answered(identity: Identity, handle: str, purpose: str) -> Challenge | None:
    """A challenge is answered once, rightly or not."""
    challenge = await CHALLENGES.take(identity.drawers, identity.hashed("challenge", handle))
    return challenge if challenge and challenge.purpose == purpose else None


def _registered(identity: Identity, challenge: Challenge, credential: str) -> VerifiedRegistration:
    try:
        return verify_registration_response(
            credential=credential,
            expected_challenge=base64url_to_bytes(challenge.challenge),
            expected_rp_id=relying_party(identity),
            expected_origin=origin(identity),
            require_user_verification=True,
        )
    except BROKEN:
        raise _refused() from None


def _asserted(
    identity: Identity, challenge: Challenge, passkey: Passkey, credential: str
) -> VerifiedAuthentication:
    try:
        return verify_authentication_response(
            credential=credential,
            expected_challenge=base64url_to_bytes(challenge.challenge),
            expected_rp_id=relying_party(identity),
            expected_origin=origin(identity),
            credential_public_key=base64url_to_bytes(passkey.key),
            credential_current_sign_count=passkey.count,
            require_user_verification=True,
        )
    except BROKEN:
        raise _refused() from None


def _credential_id(credential: str) -> str | None:
    try:
        return bytes_to_base64url(parse_authentication_credential_json(credential).raw_id)
    except BROKEN:
        return None


def _descriptors(account: Account) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(each.id)) for each in account.passkeys]


def _place(identity: Identity, id: str) -> str:
    return identity.hashed("passkey", id)


def _refused() -> Problem:
    return Problem.of("cw-not-proved", why="The passkey was not accepted; try again.")
