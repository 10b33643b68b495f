"""Cells that a workbook shows as per cent: what is stored is a share, and its unit is 1."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from draft_lake import draft_of, lake, loaded
from test_documents import workbook

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.core.progress import Silent
from yupana.data.contracts import contract as contracts
from yupana.data.parsing import documents
from yupana.data.parsing.documents.cells import shares

__all__ = ["lake"]
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
# A number as it is, a day, 0%, a format of its own, a per cent sign that is a mere text, a time of
# day, and a duration.
STYLES = (
    f'<styleSheet xmlns="{MAIN}"><numFmts><numFmt numFmtId="164" formatCode="0.0%"/>'
    '<numFmt numFmtId="165" formatCode="0.0&quot;%&quot;"/></numFmts><cellXfs>'
    + "".join(f'<xf numFmtId="{n}"/>' for n in (0, 14, 9, 164, 165, 21, 46))
    + "</cellXfs></styleSheet>"
)
DAY, PERCENT, OWN, TEXT, TIME, DURATION = range(1, 7)


def styled(*rows: list[Any]) -> bytes:
    """A workbook whose cells are texts, numbers, or numbers and their style; the first column is
    empty."""
    cells = ""
    for number, row in enumerate(rows, 1):
        cells += f'<row r="{number}"><c r="A{number}" s="2"/>'
        for letter, cell in zip("BCDEF", row, strict=False):
            value, style = cell if isinstance(cell, tuple) else (cell, 0)
            kind = ' t="inlineStr"><is><t>{}</t></is>' if isinstance(value, str) else "><v>{}</v>"
            cells += f'<c r="{letter}{number}" s="{style}"' + kind.format(value) + "</c>"
        cells += "</row>"
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook([]))) as plain, zipfile.ZipFile(out, "w") as packed:
        for path in plain.namelist():
            part = plain.read(path).decode()
            if path.endswith("sheet1.xml"):
                part = part.replace("<sheetData>", f"<sheetData>{cells}")
            packed.writestr(path, part)
        packed.writestr("xl/styles.xml", STYLES)
    return out.getvalue()


BOOK = styled(
    [("distrito", PERCENT), ("cobertura", PERCENT), "pct_x", "fecha", "casos"],
    ["A", (0.125, PERCENT), (12.5, TEXT), (43831, 1), 1],
    ["B", (1, OWN), (50, TEXT), (43832, 1), 2],
    ["C", (0.5, PERCENT), (60, TEXT), (43833, 1), 2],
)


def test_a_draft_of_shares_and_days(lake: Settings) -> None:
    draft = draft_of(lake, BOOK)
    guesses = {c.published: c for c in draft.columns}
    unit = guesses["cobertura"].unit
    assert not guesses["cobertura"].questions
    assert unit and unit.unit == "1" and "12.5 % as 0.125" in unit.evidence
    assert guesses["pct_x"].unit and guesses["pct_x"].unit.unit == "%"
    assert guesses["fecha"].kind.type == "date" and loaded(lake, draft)["fecha"].type == "date"


def test_percentages_that_may_be_shares_are_asked(lake: Settings) -> None:
    share, plain = (draft_of(lake, f"a;pct\nx;0.125\ny;{n}\n").columns[1] for n in (0.5, 12))
    assert "or shares (unit 1" in share.questions[0] and not plain.questions


def test_cells_of_two_kinds_are_asked(lake: Settings) -> None:
    mixed = draft_of(lake, styled(["a", "pct"], ["x", (0.125, PERCENT)], ["y", 12.5], ["z", 13.5]))
    assert "2 cells are not shown as per cent" in mixed.columns[1].questions[0]


def test_shares_under_the_unit_of_percentages_are_refused(lake: Settings) -> None:
    draft = draft_of(lake, BOOK)
    contract = loaded(lake, draft) and contracts.load(lake.root, "strange")
    documents.texts(contract, io.BytesIO(BOOK), "in", Silent())
    path = lake.root / "expectations" / "strange" / "contract.yaml"
    path.write_text(path.read_text().replace('unit, value: "1"', 'unit, value: "%"'))
    with pytest.raises(TerminalError, match="3 cells of 'cobertura' are shown") as error:
        documents.texts(contracts.load(lake.root, "strange"), io.BytesIO(BOOK), "in", Silent())
    assert "to 1" in error.value.fix


def test_formats_that_show_per_cent() -> None:
    def counted(cells: str) -> dict[bytes, shares.Shares]:
        return shares(cells.encode(), STYLES.encode(), 1)

    head = '<cols><col s="2"/></cols><c r="A1" s="2"><v>1</v></c>'
    assert counted(head + '<c s="3" r="A2"><v>1</v></c><c r="B2"><v>1</v></c>') == {
        b"A": (1, 0), b"B": (0, 1),
    }  # fmt: skip
    assert counted(head + '<c r="A2" s="2" t="s"><v>1</v></c><c r="A3" s="2"/>')[b"A"] == (0, 0)
    assert counted('<c r="A2" s="4"><v>1</v></c>') == {}
