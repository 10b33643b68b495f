"""The command line's table of modules is what the modules register."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from yupana.cli import lazy
from yupana.cli.main import app
from yupana.config.settings import ROOT


@pytest.mark.parametrize("module", lazy.MODULES)
def test_each_module_registers_what_the_table_says(module: str) -> None:
    assert set(lazy.registered(module)) == set(lazy.MODULES[module])


def test_no_module_that_registers_commands_is_forgotten() -> None:
    files = (ROOT / "yupana" / "cli").glob("*.py")
    register = {f.stem for f in files if "\ndef register(" in f.read_text("utf-8")}
    assert register == set(lazy.MODULES)


def test_the_help_lists_every_command_with_what_it_does() -> None:
    shown = CliRunner().invoke(app, ["--help"]).output
    for name, command in lazy.Commands().items():
        assert f" {name} " in shown and command.help, name


def test_a_command_imports_its_own_module_alone() -> None:
    code = (
        "import sys; from yupana.cli.main import app; "
        "app(['due', '--help'], standalone_mode=False); "
        "print(*(m for m in sys.modules if m.startswith('yupana.cli.')), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    loaded = {name.removeprefix("yupana.cli.") for name in done.stderr.split()}
    assert "learn" in loaded and not loaded & (set(lazy.MODULES) - {"learn", "fitting"})
