"""The risk register of a use case, `models/<use case>/governance.yaml`: what it is for, under which
law, at which risk, who answers for it, and what has to hold before it may serve.

Classes, principles and requirements are named as in Peru's AI strategy (draft), DS 115-2025-PCM.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from yupana.core.errors import TerminalError, UsageError
from yupana.core.hashing import value_sha256
from yupana.gate.register_parts import Both, Checklist, Item, Part, Person, known_form, same_person

Stage = Literal["trial", "service"]
RATIO = "ratio"
"""Measure of a bound: the use case's metric over a baseline's."""
LEVELS = ("low", "medium", "high", "prohibited")
_STRATEGY = {"unacceptable": "prohibited", "high": "high", "medium": "medium", "low": "low"}
_REGULATION = {"prohibited": "prohibited", "high": "high", "acceptable": "low"}
HIGH_RISK_AREAS = {"biometrics", "recruitment", "credit", "health", "social_programmes"}
"""Areas that the strategy and the regulation name as high risk."""

PRINCIPLES = ("human_dignity", "equity", "transparency", "robustness", "responsibility")
REQUIREMENTS = (
    "human_rights", "personal_data", "public_benefit", "access_and_inclusion", "explainability",
    "technical_safety", "sustainability", "international_alignment",
)  # fmt: skip


class Norm(Part):
    """A norm, and what it asks of this use."""

    norm: str
    asks: Both


class Classed(Part):
    """A class under one scheme, with the reasons."""

    reasons: list[Both] = Field(min_length=1)


class Strategy(Classed):
    """The four classes of the strategy's draft."""

    of: Literal["unacceptable", "high", "medium", "low"]


class Regulation(Classed):
    """The three classes of DS 115-2025-PCM: prohibited use, high risk, acceptable."""

    of: Literal["prohibited", "high", "acceptable"]


class Risk(Part):
    """Areas of use, and the class under both schemes; the stricter one counts."""

    areas: list[str]
    strategy: Strategy
    regulation: Regulation
    factors: list[Item] = Field(min_length=1)
    """What can go wrong, and what is done against it."""

    @property
    def level(self) -> str:
        both = (_STRATEGY[self.strategy.of], _REGULATION[self.regulation.of])
        return max(both, key=LEVELS.index)

    @model_validator(mode="after")
    def _not_played_down(self) -> Risk:
        high = sorted(HIGH_RISK_AREAS & set(self.areas))
        if high and LEVELS.index(self.level) < LEVELS.index("high"):
            raise ValueError(f"a use in {', '.join(high)} is of high risk at least")
        return self


class Affected(Part):
    """A group of people that the use touches, and how."""

    group: Both
    how: Both


class Ethics(Part):
    """Five principles and eight requirements, each with evidence or an honest gap."""

    reviewed: dt.date
    principles: dict[str, list[Item]]
    requirements: dict[str, list[Item]]

    @model_validator(mode="after")
    def _whole(self) -> Ethics:
        for part, names in (("principles", PRINCIPLES), ("requirements", REQUIREMENTS)):
            answers = getattr(self, part)
            if off := set(answers) ^ set(names):
                raise ValueError(f"{part} are {', '.join(names)}; off: {', '.join(sorted(off))}")
            if empty := [name for name, items in answers.items() if not items]:
                raise ValueError(f"nothing is answered for {', '.join(empty)}")
        return self

    def items(self) -> Iterator[tuple[str, Item]]:
        for part in (self.principles, self.requirements):
            for name, items in part.items():
                yield from ((name, item) for item in items)


class Adoption(Part):
    """The checklist for an agency that adopts AI: introduction, operation, performance."""

    reviewed: dt.date
    introduction: list[Item] = Field(min_length=1)
    operation: list[Item] = Field(min_length=1)
    performance: list[Item] = Field(min_length=1)

    def items(self) -> Iterator[tuple[str, Item]]:
        for name in ("introduction", "operation", "performance"):
            yield from ((name, item) for item in getattr(self, name))


class Bound(Part):
    """A number that must hold; `by` names the groups, empty for all rows together.

    `measure` is `ratio` (the use case's metric ÷ a baseline's), any metric of its evaluation, or a
    rate of its impact report (0-1). What was not measured does not hold. Groups with fewer rows
    than `least_n` are told, not judged.
    """

    measure: str = Field(pattern="^[a-z][a-z0-9_]*$")
    by: str = ""
    against: str = ""
    at_most: float | None = None
    at_least: float | None = None
    least_n: int = 0
    why: Both

    @model_validator(mode="after")
    def _says_what(self) -> Bound:
        if self.at_most is None and self.at_least is None:
            raise ValueError("state at_most or at_least")
        if self.measure == RATIO and not self.against:
            raise ValueError("a ratio names its baseline: against")
        return self


class Targets(Part):
    """What the model must reach: numbers, and what numbers do not say."""

    quantitative: list[Bound] = Field(min_length=1)
    qualitative: list[Item] = Field(min_length=1)


class Costs(Part):
    """What a missed alert and a false alarm cost, as the agency sets it."""

    missed_alert: float = Field(gt=0)
    false_alarm: float = Field(gt=0)
    currency: str
    set_by: str


class Notice(Part):
    """The transparency notice: a file, and the hash of what was published."""

    file: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    published: dt.date


class Validity(Part):
    """Days for which each evidence counts."""

    assessment: int = Field(ge=1, le=400)
    approval: int = Field(ge=1, le=400)
    impact: int = Field(ge=1, le=400)
    data_protection: int = Field(ge=1, le=800)
    ethics: int = Field(ge=1, le=800)
    adoption: int = Field(ge=1, le=800)
    notice: int = Field(ge=1, le=800)
    evidence: int = Field(ge=1, le=800)
    """Of a step that must have run, or a report that must be there."""


class Register(Part):
    """All that is stated of a use case."""

    use_case: str
    stage: Stage
    purpose: Both
    legal_basis: list[Norm] = Field(min_length=1)
    risk: Risk
    affected: list[Affected] = Field(min_length=1)
    people: list[Person]
    service_accounts: list[str] = Field(default_factory=list)
    """Accounts that many act by (a scheduler's, the owner of `home`): no person's word."""
    data_protection: Checklist
    ethics: Ethics
    adoption: Adoption
    targets: Targets
    costs: Costs
    limits: list[Bound] = Field(min_length=1)
    notice: Notice
    validity: Validity

    @model_validator(mode="after")
    def _everyone_once(self) -> Register:
        for n, one in enumerate(self.people):
            for other in self.people[n + 1 :]:
                if why := same_person(one, other):
                    raise ValueError(f"'{one.id}' and '{other.id}' are one person: {why}")
            if common := set(one.accounts) & set(known_form(self.service_accounts)):
                raise ValueError(f"{', '.join(sorted(common))} is of '{one.id}', and of no person")
        return self

    @property
    def level(self) -> str:
        """low, medium, high or prohibited."""
        return self.risk.level

    @property
    def digest(self) -> str:
        """What assessments and approvals are bound to: everything stated but the stage, so that
        a use can be approved while it is on trial."""
        return value_sha256(self.model_dump(mode="json", exclude={"stage"}))

    def having(self, role: str) -> list[Person]:
        """People of a role whom the agency has named, with an account each."""
        return [p for p in self.people if role in p.roles and p.is_appointed]


def path_of(root: Path, use_case: str) -> Path:
    """Where a use case's register lies."""
    return root / "models" / use_case / "governance.yaml"


def load(root: Path, use_case: str) -> Register:
    """The register of a use case, as its file is now.

    Raises:
        UsageError: there is none.
        TerminalError: it is not valid; names file, line and field.
    """
    path = path_of(root, use_case)
    if not use_case.isidentifier() or not path.exists():
        raise UsageError(
            f"'{use_case}' has no risk register.",
            where=str(path),
            fix="Write that file; docs/governance.md says how.",
        )
    return _read(path, use_case, path.read_text(encoding="utf-8"))


@lru_cache(maxsize=16)
def _read(path: Path, use_case: str, text: str) -> Register:
    # By its text: who edits a file can set its time and its size as they were.
    try:
        about = Register.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise _invalid(path, mark.line + 1 if mark else 1, "YAML", str(error)) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, first["loc"])) or "the register"
        raise _invalid(path, _line(text, first["loc"]), field, first["msg"]) from error
    if about.use_case != use_case:
        raise _invalid(path, _line(text, ("use_case",)), "use_case", f"it must be '{use_case}'")
    return about


def _invalid(path: Path, line: int, field: str, why: str) -> TerminalError:
    return TerminalError(
        f"The risk register is not valid: {field}: {why}.",
        where=f"{path}, line {line}, {field}",
        fix="Correct that line; `yupana governance check` says whether the rest holds.",
    )


def _line(text: str, loc: Sequence[int | str]) -> int:
    """The line of a field, or of the nearest part above it that is there."""
    node: Any = yaml.compose(text)
    line = 1
    for step in loc:
        if isinstance(node, yaml.MappingNode):
            child = next(((k, v) for k, v in node.value if k.value == str(step)), None)
            if child is None:
                break
            line, node = child[0].start_mark.line + 1, child[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            break
    return line
