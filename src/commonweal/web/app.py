"""The pages as one ASGI application: the shell's own screens and those of every service."""

from collections.abc import Awaitable, Callable, Mapping
from operator import methodcaller
from pathlib import Path

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from commonweal.fhir.outcome import Problem
from commonweal.identity.house import Identity
from commonweal.platform.platform import Platform
from commonweal.platform.status import Status
from commonweal.web import names, page, said
from commonweal.web.assets import PREFIX, Assets
from commonweal.web.entrance import endpoint, open_to_all
from commonweal.web.language import Languages, gettext, ngettext, npgettext, pgettext
from commonweal.web.record.words import type_name
from commonweal.web.screens import PLATFORM, SCREENS
from commonweal.web.screens.entering import ENTERING, signing
from commonweal.web.site import Authenticate, Site

HERE = Path(__file__).parent


def app(
    platform: Platform,
    authenticate: Authenticate,
    status: Callable[[], Awaitable[Status]],
    *,
    folders: Mapping[str, Path] | None = None,
    language: str = "en",
    secure: bool = False,
    identity: Identity | None = None,
) -> Starlette:
    """The application. `folders` are the services' own by name, for their templates and catalogues;
    `language` is that of pages where the browser asks for none we have; `secure`: people come by https.
    `authenticate` knows tokens of the command line, `identity` everybody who signs in."""
    folders = folders or {}
    languages = Languages([HERE / "locale", *(each / "locale" for each in folders.values())], language)
    site = Site(platform, authenticate, status, languages, Assets(), folders, secure, identity)
    site.pages = (*SCREENS, *(each for service in platform.catalogue.services for each in service.pages))
    site.templates = _templates(site)
    shown = Starlette(routes=_routes(site), exception_handlers={405: _not_taken})
    shown.state.site = site
    return shown


def _routes(site: Site) -> list[Route]:
    return [
        Route(PREFIX + "{name:path}", site.assets.serve),
        *(Route(path, open_to_all(run), methods=["GET", "POST"]) for path, run in ENTERING.items()),
        Route("/sign-out", open_to_all(signing.sign_out), methods=["POST"]),
        *(Route(each.path, endpoint(each), methods=list(each.methods)) for each in site.pages),
        Route("/{path:path}", open_to_all(_nothing)),
    ]


async def _nothing(request: Request) -> Response:
    raise Problem.of("cw-unknown-address", address=request.url.path)


async def _not_taken(request: Request, error: Exception) -> Response:
    async def refuse(request: Request) -> Response:
        raise Problem.of("cw-method-not-allowed", method=request.method)

    return await open_to_all(refuse)(request)


def _templates(site: Site) -> Environment:
    own = FileSystemLoader(HERE / "templates")
    services = {name: FileSystemLoader(folder / "templates") for name, folder in site.folders.items()}
    templates = Environment(
        loader=ChoiceLoader([own, PrefixLoader(services)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.loopcontrols"],
    )
    install = methodcaller("install_gettext_callables", gettext, ngettext, True, pgettext, npgettext)
    install(templates)  # a method that the extension adds
    templates.globals.update(
        asset=site.assets.address,
        address=page.address,
        again=page.again,
        said=said,
        type_name=type_name,
        menu=sorted((each for each in site.pages if each.menu), key=lambda each: each.menu == PLATFORM),
    )
    templates.filters.update(role_name=names.role, grouped=_grouped)
    return templates


def _grouped(text: str) -> str:
    """In groups of four, to be typed."""
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))
