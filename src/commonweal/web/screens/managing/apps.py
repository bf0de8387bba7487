"""Apps and partner systems: registered, shown their secret once, switched off, and what of their keys is known."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime

from starlette.requests import Request
from starlette.responses import Response

from commonweal.fhir.outcome import Problem
from commonweal.identity.oauth import clients, registering
from commonweal.identity.oauth.clients import Agreement, Client
from commonweal.identity.oauth.refused import Refused
from commonweal.identity.oauth.registering import Metadata
from commonweal.platform.work import Work
from commonweal.web import names, page, signed
from commonweal.web.language import gettext as _
from commonweal.web.screens.managing.meaning import meant
from commonweal.web.screens.own.role import titled

PAGE = 50
FIELDS = (
    "name",
    "method",
    "redirects",
    "scopes",
    "home",
    "launch",
    "organization",
    "jwks",
    "until",
    "because",
)
SYSTEM = "system"
"""A partner's system that acts by itself; it has keys, too."""


def kinds() -> dict[str, tuple[str, str]]:
    """Kinds of apps: title and explanation."""
    return {
        "none": (
            _("App in a browser or on a phone"),
            _("It can keep no secret. People sign in and allow it."),
        ),
        "client_secret_basic": (_("App with a server of its own"), _("It gets a secret, shown once.")),
        "private_key_jwt": (_("App with keys"), _("It signs what it sends; we know its public keys only.")),
        SYSTEM: (
            _("System that acts by itself"),
            _("For a partner organization, by an agreement. It has keys."),
        ),
    }


async def listed(work: Work, request: Request) -> Response:
    """All of them."""
    after = request.query_params.get("after", "")
    found = await clients.page(signed.house(request), after, PAGE)
    following = page.address("/access/apps", after=found[-1].id) if len(found) == PAGE else ""
    return page.render(
        request,
        "managing/apps.html",
        found=found,
        following=following,
        kind_of=kind_of,
        titles=await titled(work, {each.organization for each in found if each.organization}),
    )


async def add(work: Work, request: Request) -> Response:
    """Register one; a secret is shown once."""
    faults, given, purposes = page.Faults(), dict.fromkeys(FIELDS, ""), list[str]()
    given["method"] = "none"
    if request.method == "POST":
        form = await page.form(request)
        given, purposes = {name: form[name].strip() for name in FIELDS}, form.all("purposes")
        _check(given, purposes, faults)
        behind = await meant(work, "Organization", given["organization"], "organization", faults)
        told = given | {"organization": behind}
        registered = None if faults else await _registered(work, request, told, purposes, faults)
        if registered:
            client, secret = registered
            return page.render(request, "managing/app-added.html", client=client, secret=secret)
    return page.render(
        request,
        "managing/add-app.html",
        400 if faults else 200,
        faults=faults,
        given=given,
        chosen=purposes,
        kinds=kinds(),
        purposes=names.purposes(),
    )


async def one(work: Work, request: Request) -> Response:
    """One of them: what it may ask for, and whether it may come at all."""
    house, id = signed.house(request), request.path_params["id"]
    client = await clients.find(house, id)
    if client is None:
        raise Problem.of("cw-unknown-address", address="this app")
    if request.method == "POST":
        form = await page.form(request)
        if form["do"] == "secret" and client.kind == "symmetric":
            secret = await clients.new_secret(house, work.agent, id)
            return page.render(request, "managing/app-added.html", client=client, secret=secret)
        if form["do"] in ("on", "off"):
            await clients.change(house, work.agent, id, enabled=form["do"] == "on")
        return page.redirect(f"/access/apps/{id}")
    return page.render(
        request,
        "managing/app.html",
        client=client,
        kind=kind_of(client),
        keys=(client.jwks or {}).get("keys", []),
        purposes=names.purposes(),
        titles=await titled(work, {client.organization} if client.organization else ()),
    )


def kind_of(client: Client) -> str:
    """Its kind, as it is called on the form."""
    if "client_credentials" in client.grants:
        return kinds()[SYSTEM][0]
    by_kind = {"public": "none", "symmetric": "client_secret_basic", "asymmetric": "private_key_jwt"}
    return kinds()[by_kind[client.kind]][0]


def _check(given: Mapping[str, str], purposes: list[str], faults: page.Faults) -> None:
    method = given["method"]
    faults.needs(given["name"], "name", _("Enter the name that people will read when it asks them"))
    faults.needs(method in kinds(), "method", _("Choose what kind of app it is"))
    faults.needs(given["scopes"], "scopes", _("Enter the most it may ask for"))
    if method != SYSTEM:
        faults.needs(given["redirects"], "redirects", _("Enter at least one address to which it returns"))
    if method in ("private_key_jwt", SYSTEM):
        faults.needs(given["jwks"], "jwks", _("Enter the address of its public keys, or the keys themselves"))
    if method == SYSTEM:
        faults.needs(given["organization"], "organization", _("Enter for which organization it acts"))
        faults.needs(
            _end_of(given["until"]), "until", _("Enter the last day of the agreement as year-month-day")
        )
        faults.needs(purposes, "purposes", _("Choose what it may come for"))
        faults.needs(given["because"], "because", _("Enter where the agreement is written down"))


async def _registered(
    work: Work, request: Request, given: Mapping[str, str], purposes: list[str], faults: page.Faults
) -> tuple[Client, str] | None:
    try:
        metadata = _metadata(given, purposes)
        return await registering.register(signed.house(request), work.agent, metadata)
    except Refused as refused:
        field = "redirects" if refused.error == "invalid_redirect_uri" else ""
        faults.needs(False, field, refused.description)
    except json.JSONDecodeError:
        faults.needs(False, "jwks", _("These keys are no JSON Web Key Set"))
    return None


def _metadata(given: Mapping[str, str], purposes: list[str]) -> Metadata:
    """JSONDecodeError when the keys cannot be read."""
    is_system, keys = given["method"] == SYSTEM, given["jwks"]
    by_address = keys.startswith("http")
    return Metadata(
        client_name=given["name"],
        token_endpoint_auth_method="private_key_jwt" if is_system else given["method"],
        redirect_uris=() if is_system else tuple(given["redirects"].split()),
        grant_types=("client_credentials",) if is_system else ("authorization_code", "refresh_token"),
        response_types=() if is_system else ("code",),
        scope=" ".join(given["scopes"].split()),
        client_uri=given["home"],
        launch_uri=given["launch"],
        organization=given["organization"],
        jwks_uri=keys if by_address else "",
        jwks=json.loads(keys) if keys and not by_address else None,
        agreement=_agreement(given, purposes) if is_system else None,
    )


def _agreement(given: Mapping[str, str], purposes: list[str]) -> Agreement:
    return Agreement(_end_of(given["until"]) or 0, tuple(purposes), given["because"])


def _end_of(text: str) -> int | None:
    """The end of a day in microseconds; None for what is no day."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return (int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) + 86400) * 1_000_000
