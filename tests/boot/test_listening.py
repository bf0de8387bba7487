"""Where the server may listen, and TLS as a browser meets it."""

import asyncio
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from commonweal.boot import listening

HERE = Path(__file__).parent
PEM, PLAIN = serialization.Encoding.PEM, serialization.NoEncryption()


def pair(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for this machine that signed itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / f"{name}.pem", folder / f"{name}.key"
    paths[0].write_bytes(certificate.public_bytes(PEM))
    paths[1].write_bytes(key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, PLAIN))
    paths[1].chmod(0o600)
    return paths


ALLOWED = [
    ("127.0.0.1", False, "", ""), ("localhost", False, "", ""), ("::1", False, "", ""),
    ("0.0.0.0", True, "", "https://record.example.org"), ("10.0.0.1", False, "10.0.0.2", "https://x.example"),
]  # fmt: skip
REFUSED = [
    ("0.0.0.0", False, "", "https://record.example.org", "COMMONWEAL_TRUSTED_PROXIES"),
    ("::", False, "", "", "COMMONWEAL_TLS_CERTIFICATE"),
    ("192.168.1.7", False, "", "", "not a loopback address"),
    ("record.example.org", False, "", "", "not a loopback address"),
    ("127.0.0.1.evil.example", False, "", "", "not a loopback address"),
    ("0.0.0.0", True, "", "", "COMMONWEAL_BASE_URL"),
    ("0.0.0.0", False, "10.0.0.2", "", "COMMONWEAL_BASE_URL"),
]


@pytest.mark.parametrize(("host", "by_tls", "proxies", "names"), ALLOWED)
def test_it_listens_where_nobody_can_listen_in(host: str, by_tls: bool, proxies: str, names: str) -> None:
    listening.check(host, by_tls, proxies, names)


@pytest.mark.parametrize(("host", "by_tls", "proxies", "names", "sentence"), REFUSED)
def test_elsewhere_it_refuses_in_one_sentence(
    host: str, by_tls: bool, proxies: str, names: str, sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        listening.check(host, by_tls, proxies, names)


def test_serve_refuses_before_anything_is_started(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "commonweal.boot.cli",
        "serve",
        "--host",
        "0.0.0.0",
        "--data",
        str(tmp_path / "d"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("commonweal: 0.0.0.0 is not a loopback address: set COMMONWEAL_TLS")
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "d").exists()


def test_a_certificate_and_key_must_fit_and_be_kept_close(tmp_path: Path) -> None:
    (certificate, key), (_, other) = pair(tmp_path, "one"), pair(tmp_path, "two")
    assert listening.tls("", "") is None
    assert listening.tls(str(certificate), str(key)) == listening.Tls(certificate, key)
    with pytest.raises(ValueError, match="both"):
        listening.tls(str(certificate), "")
    with pytest.raises(ValueError, match="cannot be used"):
        listening.tls(str(certificate), str(other))
    with pytest.raises(ValueError, match="cannot be used"):
        listening.tls(str(certificate), str(tmp_path / "none"))
    key.chmod(0o644)
    with pytest.raises(ValueError, match="everybody"):
        listening.tls(str(certificate), str(key))


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """Port and certificate of a guarded application that is served by TLS."""
    certificate, key = pair(tmp_path, "served")
    program = [sys.executable, str(HERE / "listening_program.py"), str(certificate), str(key)]
    process = subprocess.Popen(program, stdout=subprocess.PIPE, text=True, env=os.environ)
    assert process.stdout is not None
    yield int(process.stdout.readline()), certificate
    process.kill()
    process.wait(30)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
async def test_tls_is_spoken_in_versions_that_are_safe(served: tuple[int, Path]) -> None:
    port, certificate = served
    trusting = ssl.create_default_context(cafile=str(certificate))
    async with httpx.AsyncClient(verify=trusting) as asking:
        answer = await asking.get(f"https://127.0.0.1:{port}/")
    assert answer.text == "https"
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert answer.headers.get_list("server") == ["commonweal"]
    old = ssl.create_default_context(cafile=str(certificate))
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, OSError)):
        await asyncio.open_connection("127.0.0.1", port, ssl=old)
