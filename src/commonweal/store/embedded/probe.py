"""Does PostgreSQL accept connections? Asked in its own protocol, as pg_isready does, without a password.

https://www.postgresql.org/docs/current/protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-STARTUPMESSAGE
"""

import socket
import struct
from pathlib import Path

PORT = 5432  # names the socket file only: nothing listens on the network
_PROTOCOL = 3 << 16
_AUTHENTICATION = b"R"


def socket_file(directory: Path) -> Path:
    """The socket PostgreSQL makes in its socket directory."""
    return directory / f".s.PGSQL.{PORT}"


def accepts(directory: Path, role: str, database: str) -> bool:
    """True once the server asks `role` to authenticate; False while it is absent, starting or recovering."""
    parameters = b"".join(part.encode() + b"\0" for part in ("user", role, "database", database)) + b"\0"
    startup = struct.pack("!II", 8 + len(parameters), _PROTOCOL) + parameters
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(2)
        try:
            connection.connect(str(socket_file(directory)))
            connection.sendall(startup)
            return connection.recv(1) == _AUTHENTICATION
        except OSError:
            return False
