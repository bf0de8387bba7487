"""A client of Bulk Data Export: begins an export, waits for it, and writes its files into a folder, each whole or
not at all. https://hl7.org/fhir/uv/bulkdata/STU2/export.html

`.export.json` in the folder says which export its files are of, so that the same request again goes on with it.
"""

import asyncio
import gzip
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import IO, Any, cast

import httpx
import msgspec
import zstandard

Json = dict[str, Any]
Content = Callable[[str], AsyncIterator[bytes]]
"""The bytes of a file by its address."""

PACKERS: dict[str, Callable[[Path], Any]] = {
    "": lambda path: path.open("wb"),
    ".gz": lambda path: gzip.GzipFile(path, "wb", compresslevel=6),
    ".zst": lambda path: zstandard.open(path, "wb", cctx=zstandard.ZstdCompressor(level=6)),
}
LOOK_SECONDS = 1.0


class Unfinished(msgspec.Struct):
    """What a folder is being filled with."""

    asked: Json
    place: str


class Fetch:
    """One export into one folder; `packed` is the ending of its files, `tell` is called with what is under way."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        content: Content,
        folder: Path,
        packed: str,
        tell: Callable[[str], None],
    ) -> None:
        self._client = client
        self._content = content
        self._folder = folder
        self._packed = packed
        self._tell = tell
        self._state = folder / ".export.json"

    async def run(self, path: str, parameters: list[Json]) -> Counter[str]:
        """How many resources of each type there are now. ValueError with one sentence for what went wrong."""
        asked = {"path": path, "parameters": parameters, "packed": self._packed}
        place = self._left(asked) or await self._begin(asked)
        manifest = await self._manifest(place)
        counts: Counter[str] = Counter()
        for name, item in _named(manifest):
            await self._fetch(item["url"], self._folder / f"{name}.ndjson{self._packed}")
            counts[name.partition(".")[0]] += item.get("count", 0)
        _whole(self._folder / "manifest.json", msgspec.json.format(msgspec.json.encode(manifest), indent=2))
        self._state.unlink()
        await self._client.delete(place)
        return counts

    def _left(self, asked: Json) -> str | None:
        """The export that this folder waits for; ValueError unless it is this one, or the folder is empty."""
        if self._state.exists():
            unfinished = msgspec.json.decode(self._state.read_bytes(), type=Unfinished)
            if unfinished.asked == asked:
                return unfinished.place
            raise ValueError(
                f"{self._folder} holds another export that is not complete; choose an empty folder"
            )
        if self._folder.exists() and any(self._folder.iterdir()):
            raise ValueError(f"{self._folder} is not empty; choose another folder")
        return None

    async def _begin(self, asked: Json) -> str:
        said = {"resourceType": "Parameters", **({"parameter": p} if (p := asked["parameters"]) else {})}
        answer = await self._client.post(
            asked["path"],
            content=msgspec.json.encode(said),
            headers={"Prefer": "respond-async", "Content-Type": "application/fhir+json"},
        )
        if answer.status_code != 202:
            raise ValueError(_refusal(answer))
        place = answer.headers["content-location"]
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _whole(self._state, msgspec.json.encode(Unfinished(asked, place)))
        return place

    async def _manifest(self, place: str) -> Json:
        while (answer := await self._client.get(place)).status_code in (202, 429):
            self._tell(answer.headers.get("x-progress", "waiting"))
            await asyncio.sleep(max(LOOK_SECONDS, float(answer.headers.get("retry-after", "1"))))
        if answer.status_code == 404:
            self._state.unlink()
            raise ValueError("the export is not there any more; the same command begins a new one")
        if answer.status_code != 200:
            raise ValueError(_refusal(answer))
        return cast(Json, answer.json())

    async def _fetch(self, url: str, path: Path) -> None:
        """Under another name until it is whole; what is whole already is not fetched again."""
        if path.exists():
            return
        self._tell(path.name)
        part = path.with_name(f"{path.name}.part")
        file: IO[bytes]
        with PACKERS[self._packed](part) as file:
            async for chunk in self._content(url):
                file.write(chunk)
        part.replace(path)


def _named(manifest: Json) -> Iterator[tuple[str, Json]]:
    """Files with the names they get: "Patient", "Patient.2", "deleted"."""
    seen: Counter[str] = Counter()
    for section in ("output", "deleted", "error"):
        for item in manifest.get(section, ()):
            name = item["type"] if section == "output" else section
            seen[name] += 1
            yield name if seen[name] == 1 else f"{name}.{seen[name]}", item


def _whole(path: Path, content: bytes) -> None:
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(content)
    part.replace(path)


def _refusal(answer: httpx.Response) -> str:
    try:
        said = answer.json()["issue"][0]["diagnostics"]
    except (ValueError, LookupError, TypeError):
        said = answer.text[:300]
    return f"the server answered {answer.status_code}: {said}"
