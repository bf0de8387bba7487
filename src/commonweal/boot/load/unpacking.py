"""Compressed files and archives, unpacked as a stream in bounded memory; what is broken or hostile is said so."""

import gzip
import io
import lzma
import tarfile
from collections.abc import Callable
from typing import IO, Any

import zstandard

BROKEN = (OSError, EOFError, lzma.LZMAError, zstandard.ZstdError, tarfile.TarError)
"""What reading a broken file raises (a gzip file's errors are OSErrors and EOFErrors)."""

PIECE = 256
"""Compressed bytes unpacked at once: four of them can become 128 kB."""
NAME_BYTES = 1 << 20
"""Longest header of a member of an archive; nobody's names are so long."""


class Zstd(io.RawIOBase):
    """Frame after frame. Unlike the library's own reader, a frame cut short is an error and not an end."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._begun = False
        self._packed = b""
        self._plain = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        while not self._plain and self._unpack():
            pass
        size = min(len(buffer), len(self._plain))
        buffer[:size] = self._plain[:size]
        self._plain = self._plain[size:]
        return size

    def _unpack(self) -> bool:
        """A piece more; False at the end of the file."""
        if not self._packed:
            self._packed = self._file.read(1 << 16)
        if not self._packed:
            if self._begun:
                raise EOFError("it ends in the middle of a frame")
            return False
        piece, self._packed = self._packed[:PIECE], self._packed[PIECE:]
        self._plain, self._begun = memoryview(self._frame.decompress(piece)), True
        if self._frame.eof:
            self._packed = self._frame.unused_data + self._packed
            self._frame, self._begun = zstandard.ZstdDecompressor().decompressobj(), False
        return True


class Member(tarfile.TarInfo):
    """A member of an archive whose names and notes may not fill memory."""

    def _proc_member(self, tarfile_: tarfile.TarFile) -> Any:
        """The place where tarfile wants subclasses to step in; it reads such a header whole."""
        if self.type in NOTES and self.size > NAME_BYTES:
            raise tarfile.ReadError(f"a header of {self.size} bytes is not believable")
        proceed: Any = super()
        return proceed._proc_member(tarfile_)


NOTES = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)


def archive(file: IO[bytes]) -> tarfile.TarFile:
    """A tar read from front to back; nothing is ever written to disk."""
    return tarfile.open(fileobj=file, mode="r|", tarinfo=Member, errorlevel=2)


UNPACKED: dict[str, Callable[[IO[bytes]], Any]] = {
    ".gz": lambda file: gzip.GzipFile(fileobj=file),
    ".xz": lzma.LZMAFile,
    ".zst": lambda file: io.BufferedReader(Zstd(file), 1 << 17),
}
"""Readers by the ending of the name."""
