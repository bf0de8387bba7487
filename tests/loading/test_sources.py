"""What is found in files: every form, every wrapping, broken and hostile ones; bounded memory whatever they hold."""

import functools
import gzip
import io
import lzma
import os
import resource
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
import zstandard

from commonweal.boot.load.sources import Item, find

A, B = b'{"resourceType":"Patient","id":"a"}', b'{"resourceType":"Patient","id":"b"}'
LINES = A + b"\n\n" + B + b"\r\n"
BUNDLE = b'{"resourceType":"Bundle","type":"%b","entry":[{"fullUrl":"urn:uuid:1","resource":%b},{"resource":%b},{}]}'
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".xz": lzma.compress,
    ".zst": lambda body: zstandard.ZstdCompressor().compress(body),
}


def items(path: Path) -> list[Item]:
    return [item for source in find([path]) for item in source.items()]


def bodies(path: Path) -> list[bytes]:
    found = items(path)
    assert not [item.error for item in found if item.error]
    return [item.body for item in found]


def errors(path: Path) -> list[str]:
    return [item.error for item in items(path) if item.error]


def tar(members: dict[str, bytes], mode: Literal["w"] = "w") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for name, body in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(body)
            archive.addfile(info, io.BytesIO(body))
    return out.getvalue()


def written(folder: Path, name: str, body: bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    return path


@pytest.mark.parametrize("packed", PACKERS)
@pytest.mark.parametrize("name", ["x.ndjson", "x.jsonl", "X.NDJSON"])
def test_lines(tmp_path: Path, name: str, packed: str) -> None:
    assert bodies(written(tmp_path, name + packed, PACKERS[packed](LINES))) == [A, B]


@pytest.mark.parametrize("packed", PACKERS)
def test_documents(tmp_path: Path, packed: str) -> None:
    assert bodies(written(tmp_path, f"one.json{packed}", PACKERS[packed](A))) == [A]
    bundle = BUNDLE % (b"transaction", A, B)
    found = items(written(tmp_path, f"two.json{packed}", PACKERS[packed](bundle)))
    assert [(item.body, item.full_url) for item in found] == [(A, "urn:uuid:1"), (B, None)]
    assert found[1].place.endswith(f"two.json{packed}#entry[1]")


@pytest.mark.parametrize("type", [b"document", b"message"])
def test_bundles_that_are_records_stay_whole(tmp_path: Path, type: bytes) -> None:
    bundle = BUNDLE % (type, A, B)
    assert bodies(written(tmp_path, "x.json", bundle)) == [bundle]


@pytest.mark.parametrize("packed", PACKERS)
def test_archives(tmp_path: Path, packed: str) -> None:
    inner = {
        "deep/er/one.json": A,
        "two.ndjson.gz": gzip.compress(B),
        "three.txt": b"?",
        "four.tar": tar({"x.json": B}),
    }
    assert bodies(written(tmp_path, f"all.tar{packed}", PACKERS[packed](tar(inner)))) == [A, B, B]


def test_short_names_of_archives(tmp_path: Path) -> None:
    assert bodies(written(tmp_path, "x.tgz", gzip.compress(tar({"a.json": A})))) == [A]
    assert bodies(written(tmp_path, "x.txz", lzma.compress(tar({"a.json": A})))) == [A]


def test_folders_in_order_of_names(tmp_path: Path) -> None:
    for name, body in (("b/z.json", B), ("a/y.ndjson", A), ("c.txt", b"?"), (".hidden.json.swp", b"?")):
        written(tmp_path, name, body)
    assert bodies(tmp_path) == [A, B]


def test_several_frames_are_one_file(tmp_path: Path) -> None:
    for packed, pack in PACKERS.items():
        assert bodies(written(tmp_path, f"x.ndjson{packed}", pack(A + b"\n") + pack(B))) == [A, B]


def test_a_byte_order_mark_is_nothing(tmp_path: Path) -> None:
    mark = "\ufeff".encode()
    assert bodies(written(tmp_path, "x.ndjson", mark + LINES)) == [A, B]
    assert bodies(written(tmp_path, "x.json", mark + A)) == [A]


def test_nothing_in_a_file(tmp_path: Path) -> None:
    assert items(written(tmp_path, "x.ndjson", b"")) == []
    assert items(written(tmp_path, "y.ndjson", b"\n \r\n")) == []
    assert "not a JSON resource" in errors(written(tmp_path, "x.json", b""))[0]
    assert items(written(tmp_path, "x.ndjson.gz", b"")) == []
    assert items(written(tmp_path, "x.ndjson.zst", b"")) == []
    assert len(errors(written(tmp_path, "x.tar", b""))) == 1


@pytest.mark.parametrize("packed", [".gz", ".xz", ".zst"])
@pytest.mark.parametrize("kept", [0.5, -1])
def test_what_ends_too_early_is_said_after_what_was_there(tmp_path: Path, packed: str, kept: float) -> None:
    body = PACKERS[packed](b"".join(A[:-2] + b'%d"}\n' % number for number in range(5000)))
    cut = int(len(body) * kept) if kept > 0 else int(len(body) + kept)
    found = items(written(tmp_path, f"x.ndjson{packed}", body[:cut]))
    assert found[-1].error is not None
    assert sum(item.error is not None for item in found) == 1


@pytest.mark.parametrize(
    "name", ["x.ndjson.gz", "x.ndjson.xz", "x.ndjson.zst", "x.tar", "x.tar.gz", "x.json.zst"]
)
def test_what_is_something_else_is_said(tmp_path: Path, name: str) -> None:
    assert len(errors(written(tmp_path, name, b"this is none of these at all" * 100))) == 1


def test_a_broken_member_leaves_the_others(tmp_path: Path) -> None:
    members = {"a.json": A, "b.ndjson.gz": gzip.compress(B)[:-6], "c.json.zst": b"no", "d.json": B}
    found = items(written(tmp_path, "x.tar", tar(members)))
    assert [item.body for item in found if not item.error] == [A, B]
    assert [item.place.rpartition("!")[2] for item in found if item.error] == ["b.ndjson.gz", "c.json.zst"]


@pytest.mark.parametrize(
    "name", ["../../../etc/x.json", "/etc/passwd.json", "a\nb.json", "\udcff.json", "x" * 300 + ".json"]
)
def test_names_in_archives_are_labels(tmp_path: Path, name: str) -> None:
    before = sorted(tmp_path.iterdir())
    (found,) = items(written(tmp_path, "x.tar", tar({name: A})))
    assert found.body == A
    found.place.encode()
    assert sorted(tmp_path.iterdir()) == sorted([*before, tmp_path / "x.tar"])


def test_links_in_archives_are_not_followed(tmp_path: Path) -> None:
    written(tmp_path, "secret.txt", A)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
            info = tarfile.TarInfo("x.json")
            info.type, info.linkname = kind, str(tmp_path / "secret.txt")
            archive.addfile(info)
    assert items(written(tmp_path, "x.tar", out.getvalue())) == []


def test_packed_too_often(tmp_path: Path) -> None:
    body = tar({"x.json": A})
    for _ in range(20):
        body = tar({"x.tar": body})
    assert "times over" in errors(written(tmp_path, "x.tar", body))[0]


def test_paths_that_cannot_be_loaded(tmp_path: Path) -> None:
    (tmp_path / "dangling.json").symlink_to(tmp_path / "nowhere")
    text = written(tmp_path, "notes.txt", b"?")
    os.mkfifo(tmp_path / "fifo.json")
    for path, sentence in (
        (tmp_path / "none.json", "no file or folder at"),
        (tmp_path / "dangling.json", "no file or folder at"),
        (tmp_path / "fifo.json", "no file or folder at"),
        (text, "is not .json"),
    ):
        with pytest.raises(ValueError, match=sentence):
            find([path])


def test_a_name_of_any_bytes(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.json"))
    path.write_bytes(A)
    (found,) = items(path)
    found.place.encode()


SIZE = 1 << 30


@functools.cache
def bomb(kind: str) -> bytes:
    """A small file that becomes a gigabyte of zeros."""
    out = io.BytesIO()
    writers: dict[str, Callable[[], Any]] = {
        "gz": lambda: gzip.GzipFile(fileobj=out, mode="wb", compresslevel=1),
        "zst": lambda: zstandard.ZstdCompressor().stream_writer(out, closefd=False),
    }
    with writers[kind]() as packer:
        for _ in range(SIZE >> 20):
            packer.write(bytes(1 << 20))
    return out.getvalue()


READ = """
import resource, sys
from pathlib import Path
from commonweal.boot.load.sources import find
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]), -1))
for source in find([Path(sys.argv[1])]):
    for item in source.items():
        print(item.error)
"""


def read_in(limit: int, path: Path) -> str:
    """What reading a file says in a process that may have so many bytes of memory."""
    run = subprocess.run(
        [sys.executable, "-c", READ, path, str(limit)], capture_output=True, text=True, check=False
    )
    return run.stdout + run.stderr[-300:]


@pytest.mark.parametrize("name", ["x.ndjson.gz", "x.json.gz", "x.ndjson.zst", "x.json.zst"])
def test_bombs_stay_packed(tmp_path: Path, name: str) -> None:
    said = read_in(900_000_000, written(tmp_path, name, bomb(name.rpartition(".")[2])))
    assert "is longer than" in said or "is larger than" in said


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_a_long_header_in_an_archive_fills_no_memory(tmp_path: Path, kind: bytes) -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = kind, SIZE
    hostile = gzip.compress(info.tobuf(tarfile.GNU_FORMAT)) + bomb("gz")
    assert "not believable" in read_in(700_000_000, written(tmp_path, "x.tar.gz", hostile))


def test_a_window_as_large_as_memory_is_refused(tmp_path: Path) -> None:
    parameters = zstandard.ZstdCompressionParameters.from_level(1, window_log=31)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    body = packer.compress(A) + packer.flush()
    assert "memory" in errors(written(tmp_path, "x.json.zst", body))[0]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 2 << 20
