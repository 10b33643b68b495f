"""A contract's file: YAML read so that codes stay as they are written, with lines for messages.

Plain words are text: YAML 1.1's `NO`, `01` and `1e3` would become false, 1 and 1000 (YAML 1.2,
section 10.3.2, knows fewer such words, and still takes `01` for a number). Texts of a file
(codes, missing marks, allowed values of text columns) are never anything else.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml
from yaml import MappingNode, Node, ScalarNode, SequenceNode

from yupana.core.errors import TerminalError
from yupana.data.contracts.yaml_bounds import BYTES, BoundedLoader, BoundError

if TYPE_CHECKING:
    from jsonschema import Draft201909Validator

_TEXT = "tag:yaml.org,2002:str"
_NUMBERS = ("integer", "number")
_SHOWN = 400
_CACHED = 64
_YAML_1_1 = yaml.SafeLoader("")


class _Loader(BoundedLoader):
    """Numbers, true, false and null alone are no text."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


for _tag, _pattern, _first in (
    ("bool", r"true|false", [*"tf"]),
    ("null", r"null|~|", [*"n~", ""]),
    # Longer ones Python reads slowly, or not at all; as texts they are no number to the standard.
    ("int", r"[-+]?(0|[1-9][0-9]{0,29})", [*"-+0123456789"]),
    ("float", r"[-+]?([0-9]*\.[0-9]+|[0-9]+\.)([eE][-+]?[0-9]+)?", [*"-+0123456789."]),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first
    )


class ContractFile(NamedTuple):
    """What a contract's file holds.

    Attributes:
        lines: the line of each field, by its path of keys and numbers.
        unquoted: texts that other readers of YAML take for something else, with their line.
    """

    label: str
    content: dict[str, Any]
    lines: dict[tuple[str | int, ...], int]
    unquoted: tuple[tuple[int, str], ...]

    def where(self, *field: str | int) -> str:
        """File and line of a field, or of the nearest that holds it."""
        while field and field not in self.lines:
            field = field[:-1]
        return f"{self.label}, line {self.lines.get(field, 1)}"


def read(path: Path, label: str) -> ContractFile:
    """Read a contract's file and hold it to the standard's JSON schema.

    Args:
        label: how messages name the file.

    Raises:
        TerminalError: it is not YAML in UTF-8, a field stands twice, or it breaks the standard;
            names the line.
    """
    return _standard(_bytes(path, label), label)


def content(path: Path, label: str) -> ContractFile:
    """Read a contract's file, whether or not it keeps the standard.

    Raises:
        TerminalError: it is not YAML in UTF-8, or a field stands twice; names the line.
    """
    return _parsed(_bytes(path, label), label)


def _bytes(path: Path, label: str) -> bytes:
    if path.stat().st_size > BYTES:
        raise TerminalError(
            f"The contract is larger than {BYTES >> 20} MiB.",
            where=f"{label}, line 1",
            fix="Keep long lists of codes as a code list of their own (a CSV).",
        )
    return path.read_bytes()


# A step reads its contract several times, and each time costs a tenth of a second of YAML and
# JSON schema: the same bytes are the same contract.
@lru_cache(maxsize=_CACHED)
def _standard(text: bytes, label: str) -> ContractFile:
    file = _parsed(text, label)
    for fault in breaks(file):
        raise fault
    return file


@lru_cache(maxsize=_CACHED)
def _parsed(text: bytes, label: str) -> ContractFile:
    loader = None
    try:
        loader = _Loader(text.decode("utf-8"))
        root = loader.get_single_node()
        if not isinstance(root, MappingNode):
            raise TerminalError(
                "The contract is not a mapping of fields.", where=f"{label}, line 1", fix=_START
            )
        lines = {field: node.start_mark.line + 1 for field, node in _fields(root, label)}
        unquoted = tuple((n.start_mark.line + 1, n.value) for n in _texts(root) if _other(n))
        for node in _texts(root):
            node.tag = _TEXT
        return ContractFile(label, loader.construct_document(root), lines, unquoted)
    except BoundError as error:
        where = f"{label}, line {error.mark.line + 1}" if error.mark else label
        raise TerminalError(f"The contract {error.what}.", where=where, fix=error.fix) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        raise TerminalError(
            f"The contract is not YAML: {getattr(error, 'problem', None) or error}",
            where=f"{label}, line {mark.line + 1}" if mark else label,
            fix="Mend that line; a text with ': ' or '#' in it needs quotes.",
        ) from error
    finally:
        if loader is not None:
            loader.dispose()


_START = "Start from expectations/iquitos_population/contract.yaml, the smallest."


def _fields(
    node: Node, label: str, place: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], Node]]:
    """All nodes by their path; a key counts from its own line."""
    yield place, node
    if isinstance(node, SequenceNode):
        for number, item in enumerate(node.value):
            yield from _fields(item, label, (*place, number))
    elif isinstance(node, MappingNode):
        keys = Counter(str(key.value) for key, _ in node.value)
        for key, value in node.value:
            if keys[str(key.value)] > 1:
                raise TerminalError(
                    f"The field '{key.value}' stands twice.",
                    where=f"{label}, line {key.start_mark.line + 1}",
                    fix="Keep one of them: the other would be lost.",
                )
            yield from _fields(value, label, (*place, str(key.value)))


def _texts(root: MappingNode) -> Iterator[ScalarNode]:
    """Values that are texts of the file, whatever they look like."""
    for table in _items(_get(root, "schema")):
        for column in _items(_get(table, "properties")):
            kind = _get(column, "logicalType")
            numbers = isinstance(kind, ScalarNode) and kind.value in _NUMBERS
            for entry in _items(_get(column, "enum")):
                if not numbers:
                    yield from _scalars(_get(entry, "value"))
            for option in _items(_get(column, "customProperties")):
                name = _get(option, "property")
                if isinstance(name, ScalarNode) and name.value in ("codes", "missing"):
                    yield from _scalars(_get(option, "value"))


def _get(node: Node | None, name: str) -> Node | None:
    if isinstance(node, MappingNode):
        return next((value for key, value in node.value if key.value == name), None)
    return None


def _items(node: Node | None) -> list[Node]:
    return node.value if isinstance(node, SequenceNode) else []


def _scalars(node: Node | None) -> Iterator[ScalarNode]:
    if isinstance(node, ScalarNode):
        yield node
    elif isinstance(node, SequenceNode):
        for item in node.value:
            yield from _scalars(item)
    elif isinstance(node, MappingNode):
        for key, value in node.value:
            yield from _scalars(key)
            yield from _scalars(value)


def _other(node: ScalarNode) -> bool:
    """Whether a YAML 1.1 reader takes an unquoted scalar for something else than its text."""
    if node.style is not None:
        return False
    tag: str = _YAML_1_1.resolve(ScalarNode, node.value, (True, False))  # type: ignore[no-untyped-call]
    return bool(tag != _TEXT and not re.fullmatch(r"0|[1-9][0-9]*", node.value))


def breaks(file: ContractFile) -> Iterator[TerminalError]:
    """Each place where a contract breaks the standard's JSON schema."""
    for fault in _validator().iter_errors(file.content):
        field = tuple(fault.absolute_path)
        if field[-1:] == ("logicalTypeOptions",) and fault.validator == "additionalProperties":
            column = file.content["schema"][field[1]]["properties"][field[3]]
            kind, names = column.get("logicalType", "string"), ", ".join(fault.instance)
            yield TerminalError(
                f"The column '{column.get('name')}' is of type {kind}, and has an option of "
                f"another type among: {names}.",
                where=file.where(*field),
                fix="minimum and maximum are for numbers and dates, pattern and lengths for text.",
            )
            continue
        # Without a type, the schema asks for what a `map` must have.
        if fault.validator == "required" and field[2:3] == ("properties",) and len(field) == 4:
            name = fault.instance.get("name")
            if name is not None and "logicalType" not in fault.instance:
                yield TerminalError(
                    f"The column '{name}' states no logicalType.",
                    where=file.where(*field),
                    fix="Give it string, integer, number, date, timestamp or boolean.",
                )
                continue
        if field[-2:-1] == ("quality",) and isinstance(fault.instance, dict):
            yield TerminalError(
                f"The quality rule '{fault.instance.get('name', '')}' is not whole.",
                where=file.where(*field),
                fix="It needs a `metric`, or a `query` (type: sql), and a bound such as mustBe: 0.",
            )
            continue
        yield TerminalError(
            f"The contract breaks the Open Data Contract Standard: {_short(fault.message)}",
            where=f"{file.where(*field)}, at {'/'.join(map(str, field)) or 'the top'}",
            fix="Mend that field; the standard's page lists what it may hold.",
        )


def _short(message: str) -> str:
    """A message that repeats a whole part of the file, cut."""
    half = _SHOWN // 2
    return message if len(message) <= _SHOWN else f"{message[:half]} … {message[-half:]}"


@lru_cache(maxsize=1)
def _validator() -> Draft201909Validator:
    # Importing it takes a tenth of a second, which a trace has no use for.
    from jsonschema import Draft201909Validator

    schema = resources.files("open_data_contract_standard") / "schema.json"
    return Draft201909Validator(json.loads(schema.read_text("utf-8")))
