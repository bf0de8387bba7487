"""The kit that pages are written with, the shell's own and those of services: one way for each thing.

    async def record_dose(work: Work, request: Request) -> Response:
        faults = page.Faults()
        if request.method == "POST":
            form = await page.form(request)              # its token has been checked
            batch = form["batch"].strip()
            faults.needs(batch, "batch", _("Enter the batch"))
            if not faults:
                dose = await actions.record_dose(work, batch)
                return page.redirect(f"/record/{dose.reference}")
        return page.render(request, "dose.html", faults=faults)

The template extends "shell.html" and fills the blocks `title` and `main`; its parts (fields, error summary,
badges, tables) are the macros of "parts.html". Texts are marked `_("…")`, in templates `{{ _("…") }}`. A Problem
that is raised becomes a calm page. In the manifest: Page("/doses/new", "dose.record", record_dose, "Record a dose").
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from commonweal.web import site, viewer
from commonweal.web.language import gettext as _

__all__ = ["Faults", "Form", "_", "address", "again", "form", "redirect", "render"]


class Faults(dict[str, str]):
    """What is wrong with a form: field → sentence; "" is the form as a whole. Empty: all is well.

    `parts.summary(faults)` lists them at the top with links; a field shows its own beside itself.
    """

    def needs(self, holds: object, field: str, sentence: str) -> None:
        """The first sentence about a field stays."""
        if not holds:
            self.setdefault(field, sentence)


class Form(Mapping[str, str]):
    """What was sent; a field that was not sent is "". Files are in `files`."""

    def __init__(self, data: FormData) -> None:
        self._data = data
        self.files = {k: v for k, v in data.items() if isinstance(v, UploadFile) and v.filename}

    @classmethod
    def none(cls) -> "Form":
        """Nothing was sent."""
        return cls(FormData())

    def __getitem__(self, name: str) -> str:
        value = self._data.get(name)
        return value if isinstance(value, str) else ""

    def __contains__(self, name: object) -> bool:
        """Was a field of this name sent?"""
        return name in self._data

    def all(self, name: str) -> list[str]:
        """Every value of a field that may be chosen several times."""
        return [value for value in self._data.getlist(name) if isinstance(value, str)]

    def __iter__(self) -> Any:
        return iter(self._data.keys())

    def __len__(self) -> int:
        return len(self._data.keys())


def render(request: Request, template: str, /, status: int = 200, **context: Any) -> Response:
    """The page made of a template, in the viewer's language."""
    here = site.of(request)
    text = here.templates.get_template(template).render(
        request=request, viewer=viewer.of(request), site=here, **context
    )
    return Response(text, status, media_type="text/html")


async def form(request: Request) -> Form:
    """What was posted; where it came from was checked before the page was asked."""
    return Form(await request.form())


def redirect(path: str) -> Response:
    """Go on to another page of ours, after a form was taken."""
    return RedirectResponse(path, 303)


def address(path: str, /, **query: Any) -> str:
    """A path with those parameters that say anything; a list gives one for each of its items."""
    pairs = [(name, each) for name, value in query.items() for each in _each(value) if each not in ("", None)]
    return f"{path}?{urlencode(pairs)}" if pairs else path


def again(request: Request, **changed: str) -> str:
    """This page once more with something changed; the first page where it cannot be asked for again."""
    if request.method != "GET":
        return address("/", **changed)
    kept = [(name, value) for name, value in request.query_params.multi_items() if name not in changed]
    return f"{request.url.path}?{urlencode([*kept, *changed.items()])}"


def _each(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple | set | frozenset) else [value]
