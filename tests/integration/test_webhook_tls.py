"""A notice by https goes to the address that was looked up once, and only to who has the name's
certificate."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from yupana.config.settings import Settings
from yupana.core.progress import Silent
from yupana.webhooks import delivery, endpoints, outbox

NAME, OTHER = "receiver.example", "other.example"


def certificate(folder: Path) -> Path:
    """A certificate of `NAME` that vouches for itself, with its key."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)]),
    )
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    path = folder / "receiver.pem"
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain)
    path.write_bytes(private + signed.public_bytes(encoding))
    return path


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server: Any = self.server
        server.hosts.append(self.headers["Host"])
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return None


@pytest.fixture
def receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    path = certificate(tmp_path)
    monkeypatch.setattr("certifi.where", lambda: str(path))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    server: Any = HTTPServer(("127.0.0.1", 0), Receiver)
    server.hosts = []
    server.handle_error = lambda *_: None
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_the_certificate_is_of_the_name_and_the_name_is_looked_up_once(
    receiver: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Settings(home=tmp_path / "home", webhook_networks="127.0.0.0/8")
    home.home.mkdir()
    port, now = receiver.server_address[1], datetime.now(UTC)
    lookups: list[str] = []
    real = socket.getaddrinfo

    def look_up(host: Any, *rest: Any, **more: Any) -> Any:
        if host in (NAME, OTHER):
            lookups.append(host)
            # A look-up more than one a notice would be led elsewhere.
            host = "127.0.0.1" if lookups.count(host) <= 2 else "127.0.0.2"
        return real(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    # Each name's notice twice: a connection that was opened for one is of no use to the other.
    for host in (NAME, OTHER) * 2:
        url = f"https://{host}:{port}/"
        hook, _ = endpoints.add(home, "A", url, ("*",), now)
        outbox.put_test(home, hook, now)
    monkeypatch.setattr(delivery, "_AT_ONCE", 1)
    delivery.send(home, now, Silent())
    states = {(row.url.split(":")[1], row.state) for row in outbox.listing(home.platform_db)}
    assert states == {(f"//{NAME}", "delivered"), (f"//{OTHER}", "waiting")}
    errors = {row.error for row in outbox.listing(home.platform_db) if row.error}
    assert errors == {"its certificate is not trusted, or of another name"}
    assert receiver.hosts == [f"{NAME}:{port}"] * 2
    assert sorted(lookups) == [OTHER, OTHER, NAME, NAME]
