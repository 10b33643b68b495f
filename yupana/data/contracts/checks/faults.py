"""All faults of a contract at once, where reading it stops at the first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from open_data_contract_standard.model import OpenDataContractStandard, SchemaObject

from yupana.core.errors import TerminalError
from yupana.data.contracts import contract
from yupana.data.contracts import file as contract_file
from yupana.data.contracts.checks import document
from yupana.data.contracts.columns import column_of
from yupana.data.contracts.file import ContractFile
from yupana.data.contracts.rules import rules_of


def every(root: Path, name: str) -> list[TerminalError]:
    """The faults of `expectations/<name>/contract.yaml` by line, each with its mend.

    Where the standard itself is broken, what hangs on the broken fields may only show once they
    are mended.

    Raises:
        UsageError: there is no such contract.
    """
    path = contract.path_of(root, name)
    if not path.exists():
        contract.load(root, name)
    try:
        file = contract_file.content(path, str(path.relative_to(root)))
    except TerminalError as error:
        return [error]
    errors = list(contract_file.breaks(file))
    broken = bool(errors)
    try:
        errors += document.faults(file, root)
    except (KeyError, IndexError, TypeError, AttributeError, ValueError):
        # Fields that do not have the standard's form cannot be looked into.
        if not broken:
            raise
    if not broken:
        errors += _of_columns(file, root, blamed=bool(errors))
    if not errors:
        errors += _last(root, name)
    once = {(e.what, e.where): e for e in errors}
    return sorted(once.values(), key=_line)


def _of_columns(file: ContractFile, root: Path, *, blamed: bool) -> Iterator[TerminalError]:
    """Faults of columns that show when one is made of its fields.

    Args:
        blamed: a field may have another form than can be read, and is told already.
    """
    odcs = OpenDataContractStandard.model_validate(file.content)
    for table in (odcs.schema_ or [])[:1]:
        for number, column in enumerate(table.properties or []):
            where = file.where("schema", 0, "properties", number)
            try:
                column_of(column, where)
                rules_of(root, SchemaObject(name="one", properties=[column]))
            except TerminalError as error:
                at = error.where if "line" in error.where else f"{where}, {error.where}"
                yield TerminalError(error.what, where=at, fix=error.fix)
            except (ValueError, TypeError, AttributeError, OverflowError):
                if not blamed:
                    raise


def _last(root: Path, name: str) -> Iterator[TerminalError]:
    try:
        contract.load(root, name)
    except TerminalError as error:
        yield error


def _line(error: TerminalError) -> int:
    match = re.search(r"line (\d+)", error.where)
    return int(match[1]) if match else 0
