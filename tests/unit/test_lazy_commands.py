"""The command line's table of modules is what the modules register."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from yupana.cli import lazy
from yupana.cli.main import app
from yupana.config.settings import ROOT
from yupana.core import usecase

PACKAGES = {
    "yupana.cli": lazy.MODULES,
    **dict(usecase.kinds_commands()),
    **dict(usecase.own_commands(name) for name in usecase.with_own_commands()),
}


@pytest.mark.parametrize(
    ("package", "module"), [(p, m) for p, modules in PACKAGES.items() for m in modules]
)
def test_each_module_registers_what_the_table_says(package: str, module: str) -> None:
    assert set(lazy.commands_of(package, module)) == set(PACKAGES[package][module])


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_that_registers_commands_is_forgotten(package: str) -> None:
    folder = ROOT / package.replace(".", "/")
    register = {
        ".".join(file.relative_to(folder).with_suffix("").parts)
        for file in folder.rglob("*.py")
        if "\ndef register(" in file.read_text("utf-8")
    }
    assert register == set(PACKAGES[package])


def test_a_use_case_has_its_own_commands_under_its_name() -> None:
    help_text = CliRunner().invoke(app, ["outbreak", "--help"]).output
    assert "challenge" in help_text and "replay" in help_text


def test_the_help_lists_every_command_with_what_it_does() -> None:
    help_text = CliRunner().invoke(app, ["--help"]).output
    for name, command in lazy.Commands().items():
        assert f" {name} " in help_text and command.help, name


def test_a_command_imports_its_own_module_alone() -> None:
    code = (
        "import sys; from yupana.cli.main import app; "
        "app(['due', '--help'], standalone_mode=False); "
        "print(*(m for m in sys.modules if m.startswith('yupana.cli.')), file=sys.stderr)"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    loaded = {name.removeprefix("yupana.cli.") for name in process.stderr.split()}
    assert "registry.train" in loaded and not loaded & (set(lazy.MODULES) - {"registry.train"})
