"""An issuer of tokens on this machine: discovery, keys that can be rotated, and their tokens."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

MAKE = {
    "RS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}


@dataclass
class LocalIssuer:
    """What it answers can be changed while it runs; `asked` are the paths that were asked for."""

    url: str
    private: dict[str, tuple[str, Any]] = field(default_factory=dict)
    described: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    body: bytes = b""
    seconds: float = 0
    drip: float = 0
    asked: list[str] = field(default_factory=list)

    def add(self, kid: str, algorithm: str = "ES256", private: Any = None) -> None:
        self.private[kid] = (algorithm, private or MAKE[algorithm]())

    def jwks(self) -> dict[str, Any]:
        public_keys = []
        for kid, (algorithm, private) in self.private.items():
            jwk = jwt.get_algorithm_by_name(algorithm).to_jwk(private.public_key(), as_dict=True)
            public_keys.append({**jwk, "kid": kid, "use": "sig", "alg": algorithm})
        return {"keys": public_keys}

    def token(
        self, kid: str = "first", *, header: dict[str, Any] | None = None, **given: Any
    ) -> str:
        """A token; a claim given as None is left out."""
        now = time.time()
        claims = {
            "iss": self.url, "aud": "yupana", "sub": "ana", "iat": now, "exp": now + 300,
            "roles": ["agency"], "agency": "DIRESA Loreto", **given,
        }  # fmt: skip
        algorithm, private = self.private[kid]
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(claims, private, algorithm, headers={"kid": kid, **(header or {})})


@contextmanager
def local_issuer() -> Iterator[LocalIssuer]:
    """Run it on a free port with one ES256 key, `first`."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked.append(self.path)
            time.sleep(issuer.seconds)
            documents = {
                "/.well-known/openid-configuration": issuer.described,
                "/keys": issuer.jwks(),
            }
            body = issuer.body or json.dumps(documents[self.path]).encode()
            self.send_response(issuer.status)
            self.send_header("Location", "/keys")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(OSError):
                for at in range(0, len(body), 1 if issuer.drip else len(body)):
                    time.sleep(issuer.drip)
                    self.wfile.write(body[at : at + 1] if issuer.drip else body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    issuer = LocalIssuer(f"http://127.0.0.1:{server.server_port}")
    issuer.described = {"issuer": issuer.url, "jwks_uri": f"{issuer.url}/keys"}
    issuer.add("first")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
