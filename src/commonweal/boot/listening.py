"""Where the server may listen: beyond this machine only by TLS, or behind a proxy that it is told of."""

import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Tls:
    """A certificate with its chain and the key to it, as PEM files."""

    certificate: Path
    key: Path


def tls(certificate: str, key: str) -> Tls | None:
    """The pair, which fits together and can be read; None when neither is named. ValueError else."""
    if not certificate and not key:
        return None
    if not certificate or not key:
        raise ValueError("name both COMMONWEAL_TLS_CERTIFICATE and COMMONWEAL_TLS_KEY, or neither")
    pair = Tls(Path(certificate).absolute(), Path(key).absolute())
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(pair.certificate, pair.key, password="")
    except OSError as error:  # an SSLError is one
        raise ValueError(
            f"the certificate {certificate} and key {key} cannot be used ({error.strerror})"
        ) from error
    if pair.key.stat().st_mode & 0o007:
        raise ValueError(f"everybody on this machine can read {key}: chmod 600 it")
    return pair


def check(host: str, by_tls: bool, proxies: str, names: str) -> None:
    """ValueError with one sentence unless it is safe to listen on `host`.

    `proxies`: those that are trusted; `names`: the address or names under which we answer, one of which is needed
    beyond this machine: else every link would bear whatever name a caller makes up.
    """
    if is_loopback(host):
        return
    if not by_tls and not proxies:
        raise ValueError(
            f"{host} is not a loopback address: set COMMONWEAL_TLS_CERTIFICATE and COMMONWEAL_TLS_KEY, or name the "
            f"proxy that speaks TLS in COMMONWEAL_TRUSTED_PROXIES, or listen on 127.0.0.1"
        )
    if not names:
        raise ValueError(f"to listen on {host}, say in COMMONWEAL_BASE_URL how others reach this server")


def is_loopback(host: str) -> bool:
    """Does this host, a name or an address, stand for this machine alone?"""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
