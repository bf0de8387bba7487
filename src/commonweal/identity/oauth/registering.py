"""Registration of an app by its metadata: https://www.rfc-editor.org/rfc/rfc7591#section-2."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from commonweal.access.agent import Agent
from commonweal.identity.house import Identity, fresh
from commonweal.identity.oauth import clients, places, scopes
from commonweal.identity.oauth.clients import Agreement, Client, Kind
from commonweal.identity.oauth.keysets import check_address
from commonweal.identity.oauth.refused import Refused

METHODS: dict[str, Kind] = {
    "none": "public",
    "client_secret_basic": "symmetric",
    "client_secret_post": "symmetric",
    "private_key_jwt": "asymmetric",
}
GRANTS = ("authorization_code", "refresh_token", "client_credentials")
SIGNED = ("RS256", "RS384", "ES384")
SCRIPTS = frozenset({"javascript", "data", "vbscript", "blob", "file", "about", "view-source", "filesystem"})
LONGEST = 2000


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """What RFC 7591 and OpenID Connect name, and what is ours: `launch_uri`, `organization` ("Organization/x"),
    `agreement`, `origins`, `introspects`. What is named here by nobody is ignored, as the RFC has it."""

    client_name: str
    token_endpoint_auth_method: str = "client_secret_basic"
    redirect_uris: tuple[str, ...] = ()
    grant_types: tuple[str, ...] = ("authorization_code",)
    response_types: tuple[str, ...] = ("code",)
    scope: str = ""
    client_uri: str = ""
    jwks: dict[str, Any] | None = None
    jwks_uri: str = ""
    id_token_signed_response_alg: str = "RS256"
    launch_uri: str = ""
    organization: str = ""
    agreement: Agreement | None = None
    origins: tuple[str, ...] = ()
    introspects: bool = False


def read(told: bytes) -> Metadata:
    """Metadata of their JSON. Refused when they cannot be read."""
    try:
        return msgspec.json.decode(told, type=Metadata)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _wrong(f"the metadata cannot be read ({error})") from None


async def register(identity: Identity, by: Agent, metadata: Metadata) -> tuple[Client, str]:
    """A new client and its secret ("" for one without), which cannot be seen again. Refused when the metadata
    are not right. Whether `by` may register at all is asked by the caller (permission `access.apps`)."""
    _check(metadata)
    secret = fresh() if METHODS[metadata.token_endpoint_auth_method] == "symmetric" else ""
    client = await clients.keep(identity, _client(identity, metadata, secret, by.id))
    await identity.note(by, "client-register", f"client-{client.id}", because=client.name)
    return client, secret


def told(client: Client, secret: str = "") -> dict[str, Any]:
    """What a client is told of its registration: https://www.rfc-editor.org/rfc/rfc7591#section-3.2.1."""
    methods = {"public": "none", "symmetric": "client_secret_basic", "asymmetric": "private_key_jwt"}
    answer = {
        "client_id": client.id,
        "client_id_issued_at": client.made // 1_000_000,
        **({"client_secret": secret, "client_secret_expires_at": 0} if secret else {}),
        "client_name": client.name,
        "token_endpoint_auth_method": methods[client.kind],
        "redirect_uris": client.redirects,
        "grant_types": client.grants,
        "response_types": ("code",) if "authorization_code" in client.grants else (),
        "scope": " ".join(client.scopes),
        "client_uri": client.home,
        "jwks": client.jwks,
        "jwks_uri": client.jwks_uri,
        "id_token_signed_response_alg": client.signs,
        "launch_uri": client.launch,
        "organization": client.organization,
        "agreement": client.agreement and msgspec.to_builtins(client.agreement),
        "origins": client.origins,
    }
    return {name: value for name, value in answer.items() if value not in ("", None, ())}


def _client(identity: Identity, metadata: Metadata, secret: str, by: str) -> Client:
    own = {places.origin(each) for each in metadata.redirect_uris} - {""}
    return Client(
        id="",
        name=metadata.client_name,
        kind=METHODS[metadata.token_endpoint_auth_method],
        redirects=metadata.redirect_uris,
        grants=metadata.grant_types,
        scopes=tuple(dict.fromkeys(metadata.scope.split())),
        launch=metadata.launch_uri,
        home=metadata.client_uri,
        origins=tuple(sorted(own.union(metadata.origins))),
        organization=metadata.organization,
        agreement=metadata.agreement,
        jwks=metadata.jwks,
        jwks_uri=metadata.jwks_uri,
        secret=clients.hashed_secret(identity, secret) if secret else "",
        signs=metadata.id_token_signed_response_alg,
        introspects=metadata.introspects,
        made_by=by,
    )


def _check(metadata: Metadata) -> None:
    if not 0 < len(metadata.client_name.strip()) <= 200:
        raise _wrong("client_name says what people will read, in at most 200 characters")
    if metadata.token_endpoint_auth_method not in METHODS:
        raise _wrong(f"token_endpoint_auth_method is one of {', '.join(METHODS)}")
    if metadata.id_token_signed_response_alg not in SIGNED:
        raise _wrong(f"id_token_signed_response_alg is one of {', '.join(SIGNED)}")
    unknown = [each for each in metadata.scope.split() if not scopes.is_known(each)]
    if unknown:
        raise _wrong(f"{unknown[0][:100]} is not a scope of SMART App Launch")
    _check_keys(metadata)
    _check_grants(metadata)
    _check_addresses(metadata)


def _check_keys(metadata: Metadata) -> None:
    if metadata.token_endpoint_auth_method != "private_key_jwt":
        return
    if (metadata.jwks is None) == (not metadata.jwks_uri):
        raise _wrong("a client with private_key_jwt has either jwks or jwks_uri")
    if metadata.jwks_uri:
        check_address(metadata.jwks_uri)
        return
    try:
        keys = KeySet.import_key_set(metadata.jwks).keys  # type: ignore[arg-type]
    except (JoseError, ValueError, TypeError, LookupError):
        raise _wrong("jwks is not a JSON Web Key Set") from None
    if not keys or any(key.is_private or key.key_type not in ("RSA", "EC") for key in keys):
        raise _wrong("jwks holds the public halves of RSA and EC keys, and nothing else")


def _check_grants(metadata: Metadata) -> None:
    if not metadata.grant_types or set(metadata.grant_types) - set(GRANTS):
        raise _wrong(f"grant_types are of {', '.join(GRANTS)}")
    if set(metadata.response_types) - {"code"}:
        raise _wrong("response_types: only code is given")
    if "client_credentials" not in metadata.grant_types:
        return
    if metadata.token_endpoint_auth_method != "private_key_jwt":
        raise _wrong("a system that acts by itself (client_credentials) authenticates by private_key_jwt")
    if not metadata.organization.startswith("Organization/"):
        raise _wrong("a system that acts by itself acts for an organization: name it as Organization/id")


def _check_addresses(metadata: Metadata) -> None:
    if "authorization_code" in metadata.grant_types and not metadata.redirect_uris:
        raise Refused("invalid_redirect_uri", "an app that people use has at least one redirect URI")
    for each in metadata.redirect_uris:
        _check_redirect(each)
    for each in filter(None, (metadata.launch_uri, metadata.client_uri)):
        if not _is_web(each):
            raise _wrong(f"{each[:200]} is not an https address (http: on this very machine only)")
    for each in metadata.origins:
        if places.origin(each) != each or not _is_web(each):
            raise _wrong(f"{each[:200]} is not the origin of a page (https://host)")


def _check_redirect(address: str) -> None:
    """https; http on this very machine; or a scheme of the app's own (RFC 8252), which holds a dot."""
    scheme = address.partition(":")[0]
    own = (
        "." in scheme and scheme.lower() not in SCRIPTS and scheme.replace(".", "").replace("-", "").isalnum()
    )
    if len(address) > LONGEST or "#" in address or "*" in address or _has_odd(address):
        raise _redirect(address)
    if not _is_web(address) and not own:
        raise _redirect(address)


def _is_web(address: str) -> bool:
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or _has_odd(address) or len(address) > LONGEST:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and places.is_loopback(host))


def _has_odd(characters: Iterable[str]) -> bool:
    return any(not "!" <= each <= "~" or each in "\\<>\"'`{}|^" for each in characters)


def _redirect(address: str) -> Refused:
    return Refused("invalid_redirect_uri", f"{address[:200]} cannot be an address to return to")


def _wrong(description: str) -> Refused:
    return Refused("invalid_client_metadata", description)
