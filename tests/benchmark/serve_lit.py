"""The same answer from LitServe, one worker; runs in an environment of its own.

Run: python serve_lit.py PORT BODY_FILE
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import litserve
from starlette.responses import Response

READY = Path(sys.argv[2]).read_bytes() if __name__ == "__main__" else b""


class Same(litserve.LitAPI):  # type: ignore[misc]
    """Asks nothing of a model: what is measured is the way there and back."""

    def setup(self, device: str) -> None:
        pass

    # LitServe would read a type here as FastAPI does, and look for it in the query.
    def decode_request(self, request):  # type: ignore[no-untyped-def]
        return request["ubigeo"]

    def predict(self, ubigeo: Any) -> bytes:
        return b""

    def encode_response(self, output: bytes) -> Response:
        return Response(READY, media_type="application/json")


if __name__ == "__main__":
    server = litserve.LitServer(
        Same(api_path="/v1/outbreak/forecast"), accelerator="cpu", workers_per_device=1,
        healthcheck_path="/readyz",
    )  # fmt: skip
    server.run(
        host="127.0.0.1", port=int(sys.argv[1]), log_level="error", access_log=False,
        num_api_servers=1, generate_client_file=False,
    )  # fmt: skip
