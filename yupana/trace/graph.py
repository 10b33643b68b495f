"""The road from an answer to its source files as a picture: SVG that is text, read aloud too.

What rests on something stands above it. The list beside it says the same; the picture stays, for
the pages and the auditor's guide promise one, and no library in the lock draws a graph as text.
Nothing is fetched from outside, and the same trace gives the same bytes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from html import escape

from yupana.core.hashing import value_sha256
from yupana.trace.backward import Node, sibling

_WIDE, _HIGH, _GAP, _DROP, _ACROSS = 250, 62, 20, 46, 3
_SHOWN = 3
_SHORT, _FITS = 14, 27
_KINDS = {
    "prediction": ("Predicción", "prediction", "#fdeee4"),
    "model": ("Modelo", "model", "#e6f1ea"),
    "deployment": ("Despliegue", "deployment", "#e6f1ea"),
    "candidate": ("Candidato", "candidate", "#e6f1ea"),
    "member": ("Componente", "member", "#e6f1ea"),
    "evaluation": ("Evaluación", "evaluation", "#f3eefb"),
    "backtest": ("Prueba en el pasado", "backtest", "#f3eefb"),
    "split": ("Partición", "split", "#e8f1f8"),
    "raw": ("Archivo de origen", "source file", "#fff6d6"),
    "report": ("Informe", "report", "#f3eefb"),
    "pipeline": ("Corrida", "pipeline run", "#f3eefb"),
    "validation": ("Validación", "validation", "#f3eefb"),
    "delta:features": ("Variables", "features", "#e8f1f8"),
    "delta:published": ("Datos publicados", "published data", "#e8f1f8"),
    "delta:staging": ("Área de paso", "staging", "#e8f1f8"),
    "delta:forecasts": ("Pronósticos", "forecasts", "#fdeee4"),
    "delta:predictions": ("Registro de respuestas", "prediction log", "#fdeee4"),
}


@dataclass
class _Box:
    lines: list[str]
    fill: str
    reads: list[str] = field(default_factory=list)
    depth: int = 0
    x: float = 0.0
    y: float = 0.0


def svg(node: Node) -> str:
    """The picture of a trace (`trace.trace`), as one `<svg>` element.

    Of many inputs of one kind that a step read, the first three are drawn, and how many more
    there are. It has a title and a description with every arrow in words, in Spanish and English.
    """
    boxes: dict[str, _Box] = {}
    _add(node, boxes)
    _layer(boxes)
    wide, high = _place(boxes)
    name = f"t{value_sha256(list(boxes))[:10]}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:g} {high:g}" width="{wide:g}" '
        f'height="{high:g}" role="img" aria-labelledby="{name}a {name}b" '
        'font-family="system-ui, sans-serif" font-size="13">',
        f'<title id="{name}a">De {escape(node.ref)} al archivo de origen / '
        f"from it to the source file</title>",
        f'<desc id="{name}b">{escape(_words(boxes))}</desc>',
    ]
    parts += [_arrow(box, boxes[ref]) for box in boxes.values() for ref in box.reads]
    parts += [_box(box) for box in boxes.values()]
    return "\n".join([*parts, "</svg>"])


def _add(node: Node, boxes: dict[str, _Box]) -> None:
    if node.again or node.ref in boxes:
        return
    box = boxes[node.ref] = _Box(_lines(node), _kind(node.ref)[2])
    counts: Counter[str] = Counter()
    for child in node.children:
        kind = sibling(child)
        counts[kind] += 1
        if counts[kind] <= _SHOWN or child.again:
            box.reads.append(child.ref)
            _add(child, boxes)
    for kind, many in counts.items():
        if many > _SHOWN:
            # One box for the rest: a year of weekly versions would hide the road.
            ref = f"{node.ref} … {kind}"
            rest = many - _SHOWN
            boxes[ref] = _Box([f"y {rest:,} más / and {rest:,} more", kind[:36]], "#f4f5f7")
            box.reads.append(ref)
    box.reads = [ref for ref in dict.fromkeys(box.reads) if ref != node.ref]


def _layer(boxes: dict[str, _Box]) -> None:
    """Put each below all that read it; a circle, which a damaged log may tell, ends."""
    for _ in boxes:
        moved = False
        for box in boxes.values():
            for ref in box.reads:
                if ref in boxes and boxes[ref].depth <= box.depth < len(boxes):
                    boxes[ref].depth, moved = box.depth + 1, True
        if not moved:
            break
    for box in boxes.values():
        box.reads = [ref for ref in box.reads if ref in boxes]


def _place(boxes: dict[str, _Box]) -> tuple[float, float]:
    """Rows from the top, at most three boxes a row; returns width and height."""
    layers: dict[int, list[_Box]] = defaultdict(list)
    for box in boxes.values():
        layers[box.depth].append(box)
    widest = min(_ACROSS, max(len(layer) for layer in layers.values()))
    wide = widest * (_WIDE + _GAP) + _GAP
    y = float(_GAP)
    for depth in sorted(layers):
        layer = layers[depth]
        for start in range(0, len(layer), _ACROSS):
            row = layer[start : start + _ACROSS]
            x = (wide - len(row) * (_WIDE + _GAP) + _GAP) / 2
            for n, box in enumerate(row):
                box.x, box.y = x + n * (_WIDE + _GAP), y
            y += _HIGH + _GAP
        y += _DROP - _GAP
    return wide, y - _DROP + _GAP


def _lines(node: Node) -> list[str]:
    spanish, english, _ = _kind(node.ref)
    event = node.event
    origin = f"{event['step']}, {str(event['time'])[:10]}".rstrip(", ") if event else ""
    inside = node.ref.startswith("delta:staging/")
    none = "dentro de la ingesta / inside it" if inside else "sin paso / no step"
    return [f"{spanish} / {english}", _short(node.ref), origin or none]


def _kind(ref: str) -> tuple[str, str, str]:
    kind = ref.partition("/")[0] if ref.startswith("delta:") else ref.partition(":")[0]
    return _KINDS.get(kind, (kind, "reference", "#f4f5f7"))


def _short(ref: str) -> str:
    """The reference without its kind; long hashes cut, the description has them whole."""
    name = ref.partition("/")[2] if ref.startswith("delta:") else ref.partition(":")[2]
    return f"{name[:_SHORT]}…{name[-8:]}" if len(name) > _FITS else name


def _words(boxes: dict[str, _Box]) -> str:
    pairs = [f"{ref} ← {', '.join(box.reads)}" for ref, box in boxes.items() if box.reads]
    return "Cada uno se hizo de / each was made from: " + "; ".join(pairs) + "."


def _arrow(upper: _Box, lower: _Box) -> str:
    x1, y1 = upper.x + _WIDE / 2, upper.y + _HIGH
    x2, y2 = lower.x + _WIDE / 2, lower.y
    half = (y2 - y1) / 2
    return (
        f'<path d="M{x1:g} {y1:g}C{x1:g} {y1 + half:g} {x2:g} {y2 - half:g} {x2:g} {y2:g}" '
        'fill="none" stroke="#5b6673" stroke-width="1.3"/>'
    )


def _box(box: _Box) -> str:
    texts = []
    for n, line in enumerate(box.lines):
        bold = ' font-weight="600"' if n == 1 else ""
        texts.append(
            f'<text x="{box.x + 10:g}" y="{box.y + 18 + n * 18:g}" fill="#1d2733"{bold}>'
            f"{escape(line)}</text>"
        )
    return (
        f'<g><rect x="{box.x:g}" y="{box.y:g}" width="{_WIDE}" height="{_HIGH}" rx="6" '
        f'fill="{box.fill}" stroke="#5b6673"/>{"".join(texts)}</g>'
    )
