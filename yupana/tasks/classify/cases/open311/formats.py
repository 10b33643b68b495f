"""Answers and errors of GeoReport v2, as XML and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

import orjson
from starlette.responses import Response

FORMATS = {"json": "application/json; charset=utf-8", "xml": "text/xml; charset=utf-8"}
Value = Mapping[str, Any]


def listing(form: str, root: str, one: str, values: Sequence[Value], status: int = 200) -> Response:
    """Some values: a JSON array, or elements `one` within `root`."""
    if form != "xml":
        return Response(orjson.dumps(list(values)), status, media_type=FORMATS["json"])
    whole = ElementTree.Element(root)
    for value in values:
        _add(ElementTree.SubElement(whole, one), value)
    return _xml(whole, status)


def single(form: str, root: str, value: Value, **attributes: str) -> Response:
    """One value: a JSON object, or the element `root`."""
    if form != "xml":
        return Response(orjson.dumps(value), media_type=FORMATS["json"])
    whole = ElementTree.Element(root, attributes)
    _add(whole, value)
    return _xml(whole, 200)


def error(form: str, status: int, text: str) -> Response:
    """What is wrong, as the specification has it."""
    return listing(form, "errors", "error", [{"code": status, "description": text}], status)


def _add(element: ElementTree.Element, value: Value) -> None:
    for name, inner in value.items():
        child = ElementTree.SubElement(element, name)
        if isinstance(inner, Mapping):
            _add(child, inner)
        elif isinstance(inner, list):
            # A list is named in the plural: endpoints hold endpoint.
            for one in inner:
                part = ElementTree.SubElement(child, name.removesuffix("s"))
                if isinstance(one, Mapping):
                    _add(part, one)
                else:
                    part.text = _text(one)
        else:
            child.text = _text(inner)


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def _xml(whole: ElementTree.Element, status: int) -> Response:
    content = ElementTree.tostring(whole, encoding="utf-8", xml_declaration=True)
    return Response(content, status, media_type=FORMATS["xml"])
