"""What an agency decides of its cases: `serving/<use case>/routing.yaml`, `answers/*.yaml`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from yupana.core.spec import Bilingual
from yupana.core.types import Frozen
from yupana.data.national import working_days
from yupana.tasks.classify.cases.phrases import Phrases

Code = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,59}$")]


class Department(Bilingual):
    """Who answers cases; a key's agency is its code. `es` and `en` are its names."""

    code: Code


class LabelRule(Bilingual):
    """What a label is called, and which department answers it."""

    department: Code


class Term(Frozen):
    """How long a priority gives: working days, or hours in which offices work."""

    working_days: int = Field(0, ge=0, le=365)
    hours: int = Field(0, ge=0, le=1000)

    @model_validator(mode="after")
    def _one(self) -> Term:
        if (self.working_days > 0) == (self.hours > 0):
            raise ValueError("give working_days or hours, one of the two, above zero")
        return self

    def end(self, received: datetime) -> datetime:
        """When a case that was received then is to be answered, in UTC."""
        return working_days.deadline(received, working_days=self.working_days, hours=self.hours)


class Urgency(Phrases):
    """Texts with these phrases have this priority; the first rule that fits decides."""

    priority: str


class Duplicates(Frozen):
    """Which texts are the same: spelt alike, or so similar, within so many days."""

    days: int = Field(30, ge=0, le=366)
    similarity: float = Field(0.85, gt=0.5, le=1, description="Jaccard, of shingles of 3 words")


class Routing(Frozen):
    """Who answers what, and by when.

    Attributes:
        version: told with each decision that rests on it.
        desk: the department of what a person is to classify.
        labels: by the classifier's label.
        priorities: by name, the most urgent first.
        normal: the priority of what no rule calls urgent.
        public_listing: Open311 shows the masked texts of cases to everybody.
        jurisdiction: the `jurisdiction_id` of Open311; empty: none is asked for.
    """

    version: int = Field(ge=1)
    desk: Code
    departments: tuple[Department, ...] = Field(min_length=1)
    labels: dict[str, LabelRule] = Field(min_length=1)
    priorities: dict[str, Term] = Field(min_length=1)
    normal: str
    urgency: tuple[Urgency, ...] = ()
    duplicates: Duplicates = Duplicates()
    public_listing: bool = False
    jurisdiction: str = ""

    @model_validator(mode="after")
    def _names_what_is_there(self) -> Routing:
        codes = [department.code for department in self.departments]
        if len({*codes}) < len(codes):
            raise ValueError("a department stands twice")
        named = {name: rule.department for name, rule in self.labels.items()}
        for where, code in {"desk": self.desk, **named}.items():
            if code not in codes:
                raise ValueError(f"{where}: there is no department '{code}'")
        for priority in (self.normal, *(rule.priority for rule in self.urgency)):
            if priority not in self.priorities:
                raise ValueError(f"there is no priority '{priority}'")
        return self

    def department(self, code: str) -> Department | None:
        """A department by its code."""
        return next((one for one in self.departments if one.code == code), None)

    def rank(self, priority: str) -> int:
        """The place of a priority: 0 is handled first."""
        return list(self.priorities).index(priority)

    def priority(self, text: str) -> str:
        """How urgent a text is."""
        return next((rule.priority for rule in self.urgency if rule.fit(text)), self.normal)


class Source(Frozen):
    """What a prepared answer rests on, and the day it was looked at."""

    url: str = Field(min_length=1)
    day: date


class When(Phrases):
    """Which cases an answer is for: of one of these labels, with these phrases."""

    labels: tuple[str, ...] = Field(min_length=1)


class Answer(Frozen):
    """A prepared answer to a simple matter, in one of its versions."""

    id: Code
    version: int = Field(ge=1)
    valid_from: date
    valid_until: date | None = None
    source: Source
    when: When
    es: str = Field(min_length=1)
    en: str = Field(min_length=1)
    qu: str = ""
    ay: str = ""

    @field_validator("when")
    @classmethod
    def _is_narrow(cls, when: When) -> When:
        if not when.words and not when.pattern:
            raise ValueError("give words or a pattern: without, it answers all of its labels")
        return when

    def holds(self, day: date) -> bool:
        """Whether it may be given on a day."""
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)

    def text(self, language: str) -> str:
        """In a language (ISO 639-1), or in Spanish."""
        return {"en": self.en, "qu": self.qu, "ay": self.ay}.get(language) or self.es


@dataclass(frozen=True)
class Rules:
    """The routing and the prepared answers of a use case, and the languages that it reads."""

    routing: Routing
    answers: tuple[Answer, ...]
    languages: tuple[str, ...] = ("es",)

    def prepared(self, label: str, text: str, day: date) -> Answer | None:
        """The answer to a simple matter, of its newest version that holds; None where none fits."""
        fitting = [
            answer for answer in self.answers
            if label in answer.when.labels and answer.holds(day) and answer.when.fit(text)
        ]  # fmt: skip
        # Two answers that fit are two matters: a person reads it.
        if len({answer.id for answer in fitting}) != 1:
            return None
        return max(fitting, key=lambda answer: answer.version)


_WORDS = re.compile(r"\w")


def has_words(text: str) -> bool:
    """Whether there is a letter or a digit in it."""
    return _WORDS.search(text) is not None
