"""Contracts with a slip: each is one sentence with its line and mend, before any engine."""

from __future__ import annotations

from case_steps import Case, changes, publishes, refuses

CONTRACTS: list[Case] = [
    refuses("B-space-in-name", "column name 'total.pct'", "contract.yaml, line 21", "week_start"),
    publishes("B-space-in-name", (1, 5.0), text="total.pct → total_pct"),
    refuses("D-name-case", "cases_a and Cases_A", "contract.yaml, line 21", "another name"),
    publishes("D-name-case", (1, 5, 6), text="name: Cases_A → name: cases_b"),
    refuses("K13-limit-pct", "quarantineLimit '5'", "line 12", "a share from 0 to 1"),
    publishes("K13-limit-pct", (1, 5), aside=((3, "row.parsed"),), text="value: 5} → value: 0.5}"),
    refuses("K14-limit-str", "quarantineLimit '2%'", "line 12", "2 % is 0.02"),
    refuses("K17-delim-empty", "delimiter ''", "line 13", 'Write it as ";"'),
    publishes("K17-delim-empty", (1, 2), text='value: "" → value: ","'),
    refuses("K19-relation-missing", "'ubigeos.ubigeo', which is no data set", "line 21"),
    refuses("K2-latency-1.5", "latency of 1.5", "line 16", "1.5 w is 11 d"),
    refuses("K5-multiline-false", "multiline: false", "line 13", "take it out"),
    refuses("K6-freq-30min", "retention in 'minutes'", "line 16", "Use d, w, m or y"),
]
"""Those whose folder has no input are mended in `MENDED`."""

MENDED: list[tuple[Case, str, object]] = [
    (Case("K14-limit-str", (), changes(text="2% → 0.02")), "limit", 0.02),
    (Case("K19-relation-missing", (), changes(text="ubigeos. → ubigeo.")), "key", ("id",)),
    (Case("K2-latency-1.5", (), changes(text="value: 1.5, unit: w → value: 11, unit: d")),
     "latency_days", 11),
    (Case("K5-multiline-false", (), changes(text='value: "false" → value: true')),
     "header_rows", (1,)),
    (Case("K6-freq-30min", (), changes(text="unit: minutes → unit: d")), "retention_days", 30),
]  # fmt: skip
"""The mended contract is read, and means what it says."""
