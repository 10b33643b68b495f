"""The page of the model: its card, as it was kept with the weights, from Markdown to HTML."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from yupana.core import spec
from yupana.monitoring.site.parts import Basis, Missing, Page, SiteRequest, of_file
from yupana.tracking import card, roles, slots

if TYPE_CHECKING:
    from markdown_it.token import Token

NAME = "modelo"


def page(request: SiteRequest) -> Page:
    """The card of the served model."""
    current = roles.served(request.settings, request.use_case)
    path = current.folder / card.NAME if current.folder else None
    if current.folder is None or path is None or not path.is_file():
        missing = Missing(
            "Ningún modelo con su ficha se entrenó y desplegó aquí.",
            "No model with its card was trained and deployed here.",
            f"yupana train {request.use_case} && yupana deploy {request.use_case}",
        )
        return Page(NAME, {"ref": current.ref, "card": "", "placed": {}}, missing=(missing,))
    files, images = {}, {}
    for picture in card.pictures(current.folder):
        images[picture.name] = f"modelo-{picture.name}"
        files[f"modelo-{picture.name}"] = picture.read_bytes()
    when = {"time": current.time}
    basis = [of_file(request, path, "Ficha del modelo", "Model card", ref=current.ref, **when)]
    own = (current.folder / name for name in spec.load(request.use_case).model.files)
    basis += [
        of_file(request, file, "Archivo del modelo", "File of the model", **when)
        for file in own
        if file.is_file()
    ]
    basis += [Basis("Hecho de", "Made from", ref, **when) for ref in current.inputs]
    values = {
        "ref": current.ref,
        "card": _html(path.read_text(encoding="utf-8"), images),
        "placed": slots.current(request.settings.platform_db, request.use_case),
        "difference": roles.of(request.settings, request.use_case).difference,
    }
    return Page(NAME, values, tuple(basis), files=files)


_ENGLISH = "**English.**"
_REGION = '<div class="wide" tabindex="0" role="region" aria-label="{}">'
_OPEN = '<div class="en" lang="en">\n'


def _html(text: str, images: dict[str, str]) -> str:
    """A card as HTML, one heading level lower, its English marked as such.

    `tracking.card` writes English in italics, or below a paragraph `**English.**` up to the next
    heading. HTML in the card is shown as text.

    Args:
        images: address on the page by the one in the card; an image that is not among them is
            left out.
    """
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    output: list[Token] = []
    english, heading = False, ""
    tokens = markdown.parse(_body(text))
    skip = 0
    for i, token in enumerate(tokens):
        if skip:
            skip -= 1
            continue
        if token.type == "paragraph_open" and tokens[i + 1].content == _ENGLISH:
            output.append(_raw(_OPEN))
            english, skip = True, 2
            continue
        if token.type == "heading_open" and english:
            output.append(_raw("</div>\n"))
            english = False
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{int(token.tag[1]) + 1}"
            heading = tokens[i + 1].content if token.type == "heading_open" else heading
        if token.type == "table_open":
            output.append(_raw(_REGION.format(escape(heading.replace("*", ""), quote=True))))
        if token.type == "th_open":
            token.attrSet("scope", "col")
        for child in token.children or ():
            _inline(child, images)
        output.append(token)
        if token.type == "table_close":
            output.append(_raw("</div>\n"))
    if english:
        output.append(_raw("</div>\n"))
    return str(markdown.renderer.render(output, markdown.options, {}))


def _body(text: str) -> str:
    """Without the front matter, which is for machines."""
    if not text.startswith("---\n"):
        return text
    return text.partition("\n---\n")[2]


def _raw(text: str) -> Token:
    from markdown_it.token import Token

    return Token("html_block", "", 0, content=text)


def _inline(token: Token, images: dict[str, str]) -> None:
    if token.type == "em_open":
        token.tag = "span"
        token.attrs = {"class": "en", "lang": "en"}
    elif token.type == "em_close":
        token.tag = "span"
    elif token.type == "image":
        address = images.get(str(token.attrGet("src")))
        if address:
            token.attrSet("src", address)
        else:
            token.type, token.children = "text", None
