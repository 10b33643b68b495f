"""What a worker's start spends on Feast, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ONLINE = """
from yupana.core.errors import TerminalError
try:
    store.online_features(Settings(home=home), "none", ["a"])
except TerminalError:
    pass
"""
HOW = """
import sys
from pathlib import Path
from yupana.config.settings import Settings
from yupana.features import store
home = Path(sys.argv[1])
{what}
import feast
from feast.infra.online_stores.sqlite import SqliteOnlineStore
SqliteOnlineStore()._check_versioned_read_support([])
print(*{{"ibis", "duckdb", "psycopg", "redis"}} & set(sys.modules))
print(type(sys.modules["feast.torch_wrapper"]).__name__, "torch" in sys.modules)
print("gunicorn" in sys.modules, feast.feature_store.feature_server.start_server.__module__)
"""


@pytest.mark.parametrize(
    "what",
    [
        ONLINE,
        "store.feature_store(Settings(home=home))",
        "from yupana.core import usecase; usecase.definitions('outbreak')",
    ],
)
def test_feast_is_imported_without_what_it_does_not_use(tmp_path: Path, what: str) -> None:
    command = [sys.executable, "-c", HOW.format(what=what), str(tmp_path)]
    process = subprocess.run(command, capture_output=True, text=True, check=True)
    assert process.stdout.split() == ["_TorchWrapper", "False", "False", "feast.feature_server"]
