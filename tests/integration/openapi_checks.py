"""Schemathesis against a running service: all its checks, the same examples each time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# A question can be well formed and have no answer, such as a day before all data (400), or a name
# of nothing that is there (404, 409).
CONFIG = """[checks.positive_data_acceptance]
expected-statuses = ["2xx", "400", "404", "409"]
"""


def run(url: str, key: str, folder: Path, examples: int, *more: str) -> None:
    """Fails with what Schemathesis says where the service is not what its OpenAPI page says.

    Args:
        key: of a caller without limits, whose scopes open every address.
        folder: an empty one.
        examples: of each operation and phase, at most.
    """
    config = folder / "schemathesis.toml"
    config.write_text(CONFIG)
    command = [
        str(Path(sys.executable).parent / "st"), "--config-file", str(config), "run",
        f"{url}/openapi.json", "--url", url, "--checks", "all", "--no-color",
        "--max-examples", str(examples), "--generation-deterministic",
        # Both ways that are described: it would invent the other one, and two keys are refused.
        "--header", f"Authorization: Bearer {key}", "--header", f"X-API-Key: {key}", *more,
    ]  # fmt: skip
    process = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert process.returncode == 0, process.stdout[-8000:] + process.stderr[-2000:]
