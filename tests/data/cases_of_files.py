"""Files that are not what their name or contract says: text, workbooks, JSON, Parquet."""

from __future__ import annotations

from case_steps import Case, fails_audit, publishes, refuses

POLYGON = "POLYGON((" + ",".join(f"{n} {n}" for n in range(20_000)) + "))"
POINT = '{{"type": "Point", "coordinates": [-73.2, {}]}}'
PARSED = "row.parsed"

TEXT: list[Case] = [
    refuses("B-blank-first-line", "Line 1 is empty", "in.csv, line 1", "headerRow", "2"),
    publishes("B-blank-first-line", (1, 5), (2, 6), option="headerRow: 2"),
    publishes("D-plain-named-gz", (1, 10), (2, 20), (3, 30), source="cases.csv.gz"),
    refuses("E-latin1-declared-utf8", "UTF-8", "latin-1", "Set the contract's `encoding` to UTF-8"),
    publishes("E-latin1-declared-utf8", (1, "PEÑA"), text="value: latin-1 → value: UTF-8"),
    publishes("E-lone-cr", (1, 5, "hola"), (2, 6, "linea uno\rlinea dos"), (3, 7, "ok")),
    publishes(
        "E-totals-footer", ("A", 5), ("B", 7), ("TOTAL", 12), aside=((5, PARSED),),
        notice=("look like totals", "line 4", "`skip`"),
    ),
    publishes(
        "E-totals-footer", ("A", 5), ("B", 7), option='skip: "^(TOTAL|Fuente:)"',
        notice=("2 lines are left out",),
    ),
    fails_audit(
        "E-trailing-delim", "line 2", "4 fields, not 3", "';' at the end",
        aside=((2, PARSED), (3, PARSED)),
    ),
    refuses("E1-bz2", "bzip2", "Unpack it", source="in.csv.bz2"),
    publishes("E10-wkt", (1, POLYGON)),
    refuses("E11b-enc-unknown", "encoding 'ANSI'", "line 13", "cp1252"),
    publishes("E11b-enc-unknown", (1, 2), text="value: ANSI → value: cp1252"),
    refuses("E17-xls-html", "table in HTML", "save it as a workbook", source="in.xls"),
    refuses("E3b-utf16-undeclared", "utf-16", "in.csv, line 1", "`encoding` to utf-16"),
    publishes("E3b-utf16-undeclared", (1, 2, "PEÑA"), option="encoding: utf-16"),
    # The mark is believed: its three bytes are no part of the first name.
    publishes("E4-bom-latin1", (1, 2)),
    refuses("E5-tab-word", "delimiter 'tab'", "line 13", r'"\t" in double quotes', source="in.tsv"),
    publishes("E5-tab-word", (1, 2), source="in.tsv", text=r'value: tab → value: "\t"'),
    refuses(
        "E5b-tab-single", r"delimiter '\t'", "line 13", r'"\t" in double quotes', source="in.tsv"
    ),
    publishes("E5b-tab-single", (1, 2), source="in.tsv", text=r"""'\t' → "\t" """),
    publishes("E8-nel-header", (1, 3)),
    publishes(
        "E8-nel-header", (1, 2), text=r"""physicalName: 'x' → physicalName: "caso\x85s" """
    ),
    fails_audit(
        "H-multiline-last", "line 3", "a quote joins lines", aside=((3, PARSED), (4, PARSED))
    ),
    publishes(
        "H-multiline-last", (1, 5, "sin novedad"), (3, 7, "ok"),
        aside=((3, PARSED), (4, PARSED)), text="Limit, value: 0 → Limit, value: 1",
    ),
]  # fmt: skip

WORKBOOKS: list[Case] = [
    publishes(
        "B-two-sheets", (1, 10), source="in.xlsx", notice=("'Hoja1' is read, not 2024", "`sheet`")
    ),
    publishes("B-two-sheets", (2, 20), (3, 30), source="in.xlsx", option='sheet: "2024"'),
    refuses("X1-xlsx-dup-header", "'total'", "2 times", "columns 2, 3", source="in.xlsx"),
    fails_audit(
        "X10-xlsx-formula", "line 3", "a formula without value in B3", aside=((3, PARSED),),
        source="in.xlsx",
    ),
    publishes(
        "X10-xlsx-formula", (1, 5), (3, 7), aside=((3, PARSED),), source="in.xlsx",
        text="Limit, value: 0 → Limit, value: 0.5",
    ),
    publishes("X3-xlsx-sheet-year", (1, 10), source="in.xlsx"),
    fails_audit(
        "X9-xlsx-error-merged", "line 3", "#DIV/0! in D3", aside=((3, PARSED),), source="in.xlsx"
    ),
    publishes(
        "X9-xlsx-error-merged", ("LORETO", 5, 0.125), ("LORETO", 6, None), ("LORETO", 7, 0.5),
        source="in.xlsx",
        text="""
        physicalName: 'dept', logicalType: string → logicalType: string, customProperties: [{property: fill, value: down}]
        physicalName: 'pct', logicalType: number, customProperties: [ → logicalType: number, customProperties: [{property: missing, value: ['#DIV/0!']},
        """,  # noqa: E501
    ),
]  # fmt: skip

DOCUMENTS: list[Case] = [
    publishes(
        "J2-socrata", (1, 5, POINT.format(-3.7)), (2, None, POINT.format(-3.8)), source="in.json"
    ),
    publishes("J2-socrata-nested", (1, POINT.format(-3.7)), source="in.json"),
    publishes(
        "J2-socrata-nested", (1, "Point"), source="in.json",
        text="physicalName: 'loc' → physicalName: loc.type",
    ),
    publishes("J3-geojson", (1, 5), source="in.json"),
    publishes(
        "J3-geojson", (1, -73.2), source="in.json",
        text="physicalName: 'cases', logicalType: integer → "
        "physicalName: geometry.longitude, logicalType: number",
    ),
    publishes("J5-ndjson", (1, 5), (2, 6), source="in.json"),
    publishes("J8-latin1-json", (1, "PEÑA"), source="in.json"),
    publishes(
        "P1-parquet-pandas", (1, "10101", 5, "ABC"), (2, "160101", None, "Ñ"), (3, None, 7, None),
        source="in.parquet",
    ),
    publishes(
        "P1-parquet-pandas", (1, "010101", 5, "ABC"), (2, "160101", None, "Ñ"), (3, None, 7, None),
        source="in.parquet",
        text="physicalName: 'ubigeo', logicalType: string → "
        "logicalType: string, customProperties: [{property: pad, value: 6}]",
    ),
]  # fmt: skip
