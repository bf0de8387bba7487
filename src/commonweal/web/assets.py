"""What browsers load: built files under names that carry their content, so that they may be kept for ever."""

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

BUILT = Path(__file__).with_name("static") / "built"
KINDS = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
}
PREFIX = "/static/"
FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class _File:
    kind: str
    body: bytes
    gzipped: bytes | None


class Assets:
    """All built files in memory; ValueError at start when nothing has been built."""

    def __init__(self, folder: Path = BUILT) -> None:
        manifest = folder / "manifest.json"
        if not manifest.is_file():
            raise ValueError("the pages have not been built; run: make setup")
        self._names: Mapping[str, str] = json.loads(manifest.read_text("utf-8"))
        paths = (path for path in folder.rglob("*") if path.suffix in KINDS)
        self._files = {path.relative_to(folder).as_posix(): _file(path) for path in paths}

    def address(self, name: str) -> str:
        """Where "app.css" or "registry/map.js" is found; KeyError when it is not built."""
        return PREFIX + self._names[name]

    def serve(self, request: Request) -> Response:
        """One file; 404 for a name that is none."""
        file = self._files.get(request.path_params["name"])
        if file is None:
            return Response(status_code=404)
        headers = {"cache-control": FOR_EVER, "content-type": file.kind, "vary": "accept-encoding"}
        if file.gzipped is not None and "gzip" in request.headers.get("accept-encoding", ""):
            return Response(file.gzipped, headers=headers | {"content-encoding": "gzip"})
        return Response(file.body, headers=headers)


def _file(path: Path) -> _File:
    body = path.read_bytes()
    squeezed = gzip.compress(body, 9, mtime=0) if path.suffix in (".js", ".css", ".svg") else None
    return _File(KINDS[path.suffix], body, squeezed)
