"""Whether events are OpenLineage: a JSON Schema made from the installed client's own classes.

Those classes are generated from OpenLineage's schema files, which no package ships. Run by hand
it also takes the files themselves, from the folder `spec` of an OpenLineage checkout:

    python tests/openlineage_schema.py lineage.jsonl .../OpenLineage/spec
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
import types
import typing
from collections import Counter
from datetime import datetime
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attr
from jsonschema import Draft202012Validator, FormatChecker
from openlineage.client import generated
from openlineage.client.generated import base
from referencing import Registry, Resource

Json = dict[str, Any]
_FORMATS = {"runId": "uuid", "eventTime": "date-time", "producer": "uri", "_producer": "uri"}
_CHECKER = FormatChecker()
# With a default in the classes, and required by the schema all the same.
_ALWAYS = {"_producer", "_schemaURL", "producer", "schemaURL"}


@_CHECKER.checks("date-time", ValueError)
def _moment(value: object) -> bool:
    return datetime.fromisoformat(str(value)).tzinfo is not None


@_CHECKER.checks("uri", ValueError)
def _address(value: object) -> bool:
    return bool(urlsplit(str(value)).scheme)


def faults(event: Json) -> list[str]:
    """What is wrong with an event and its facets; empty: nothing."""
    lines = _broken("event", base.RunEvent, event)
    if event.get("eventType") not in [state.value for state in base.EventType]:
        lines.append(f"event: no eventType {event.get('eventType')}")
    for name, facet in _facets(event):
        cls = _by_url().get(facet.get("_schemaURL", ""))
        lines += _broken(name, cls, facet) if cls else [f"{name}: no facet of OpenLineage"]
    return lines


def _facets(event: Json) -> list[tuple[str, Json]]:
    holders = [event["run"], event["job"], *event["inputs"], *event["outputs"]]
    kinds = ("facets", "inputFacets", "outputFacets")
    return [item for holder in holders for kind in kinds for item in holder.get(kind, {}).items()]


def _broken(name: str, cls: type, value: Json) -> list[str]:
    checker = Draft202012Validator(_schema(cls), format_checker=_CHECKER)
    return [f"{name}: {error.message}" for error in checker.iter_errors(value)]


@cache
def _by_url() -> dict[str, type]:
    """Every facet class by the address of its schema."""
    classes: dict[str, type] = {}
    for module in pkgutil.iter_modules(generated.__path__):
        for value in vars(importlib.import_module(f"{generated.__name__}.{module.name}")).values():
            if isinstance(value, type) and issubclass(value, base.BaseFacet):
                classes[value._get_schema()] = value
    return classes


@cache
def _schema(cls: type) -> Json:
    """Fields, types, which are required; a field that the class does not know is refused."""
    parts: dict[str, Json] = {}
    _add(cls, parts)
    return {"$ref": f"#/$defs/{cls.__name__}", "$defs": parts}


def _add(cls: type, parts: dict[str, Json]) -> None:
    """Put a class, and those that its fields name, among the definitions."""
    if cls.__name__ in parts:
        return
    parts[cls.__name__] = {}
    attr.resolve_types(cls)
    fields = {field.name: _of_type(field.type, parts) for field in attr.fields(cls)}
    for name in fields.keys() & _FORMATS.keys():
        fields[name] = {"type": "string", "format": _FORMATS[name]}
    required = {f.name for f in attr.fields(cls) if f.default is attr.NOTHING}
    parts[cls.__name__] = {
        "type": "object", "properties": fields, "additionalProperties": False,
        "required": sorted(required | (_ALWAYS & fields.keys())),
    }  # fmt: skip


def _of_type(kind: Any, parts: dict[str, Json]) -> Json:
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        return {"anyOf": [_of_type(part, parts) for part in typing.get_args(kind)]}
    if typing.get_origin(kind) is list:
        return {"type": "array", "items": _of_type(typing.get_args(kind)[0], parts)}
    if typing.get_origin(kind) is dict:
        # Facets are looked at one by one, by the schema that each names.
        return {"type": "object"}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {"enum": [one.value for one in kind]}
    if attr.has(kind):
        _add(kind, parts)
        return {"$ref": f"#/$defs/{kind.__name__}"}
    names = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
    return {"type": names[kind]} if kind in names else {}


def by_files(events: Path, spec: Path) -> Counter[str]:
    """What OpenLineage's own schema files say of a file of events."""
    files = [spec / "OpenLineage.json", *(spec / "facets").glob("*.json")]
    schemas = {s["$id"]: s for s in (json.loads(path.read_text()) for path in files)}
    registry: Registry[Any] = Registry().with_resources(
        (address, Resource.from_contents(schema)) for address, schema in schemas.items()
    )

    @cache
    def checker(address: str) -> Draft202012Validator:
        schema = {"$ref": address}
        return Draft202012Validator(schema, registry=registry, format_checker=_CHECKER)

    counts: Counter[str] = Counter()
    for line in events.read_text("utf-8").splitlines():
        event = json.loads(line)
        counts["events"] += 1
        for name, value in [("event", event), *_facets(event)]:
            counts["checked"] += 1
            address = value["schemaURL" if name == "event" else "_schemaURL"]
            counts.update(f"{name}: {e.message}" for e in checker(address).iter_errors(value))
            properties = schemas[address.partition("#")[0]].get("properties", {})
            if name != "event" and name not in properties:
                counts[f"{name}: not the name of its facet"] += 1
    return counts


if __name__ == "__main__":
    print(json.dumps(by_files(Path(sys.argv[1]), Path(sys.argv[2])), indent=1))
