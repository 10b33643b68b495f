"""Parts of the risk register that many sections share: texts, people, and items with evidence."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

UNNAMED = "por designar"
"""Stands where the agency has to write a name."""

_ACCOUNT = re.compile(r"os:[a-z_][a-z0-9_.-]{0,63}|key:[0-9a-f]{12}|oidc:\S{1,200}")
_EVIDENCE = re.compile(r"(file|test|step|report):\S.*")


def known_form(accounts: list[str]) -> list[str]:
    """The accounts themselves; a ValueError for one that nobody can act by."""
    for account in accounts:
        if not _ACCOUNT.fullmatch(account):
            raise ValueError(f"'{account}' is none of os:NAME, key:ID, oidc:SUBJECT")
    return accounts


class Part(BaseModel):
    """A part of the register: nothing that is not known may stand in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Both(Part):
    """A text in Spanish and in English."""

    es: str = Field(min_length=3)
    en: str = Field(min_length=3)


class Person(Part):
    """Who answers for the use; `accounts` are all that the person acts by on this platform."""

    id: str = Field(pattern="^[a-z][a-z0-9-]{1,40}$")
    name: str = Field(min_length=3)
    roles: list[Literal["supervisor", "deputy", "approver", "author"]] = Field(min_length=1)
    accounts: list[str] = []

    @field_validator("accounts")
    @classmethod
    def _known_form(cls, accounts: list[str]) -> list[str]:
        return known_form(accounts)

    @property
    def is_appointed(self) -> bool:
        """Whether the agency wrote a name, and an account to act by."""
        return _words(self.name) != _words(UNNAMED) and bool(self.accounts)


class Item(Part):
    """A point of a checklist: what is done, and evidence of it, or the gap.

    Evidence is `file:PATH[#text in it]`, `test:PATH::NAME` (it passed), `step:COMMAND` (a step that
    was done on this use case) or `report:GLOB` (below reports/).
    """

    what: Both
    evidence: list[str] = []
    gap: Both | None = None

    @field_validator("evidence")
    @classmethod
    def _known_form(cls, evidence: list[str]) -> list[str]:
        for ref in evidence:
            if not _EVIDENCE.fullmatch(ref):
                raise ValueError(f"'{ref}' is none of file:, test:, step:, report:")
        return evidence

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Item:
        if not self.evidence and self.gap is None:
            raise ValueError("an item needs evidence, or says its gap")
        return self


class Checklist(Part):
    """Items that a person went through on a day."""

    reviewed: dt.date
    items: list[Item] = Field(min_length=1)


def same_person(one: Person, other: Person) -> str:
    """Why two entries are one person; empty where nothing says so."""
    if one.id == other.id:
        return "the same id"
    if common := set(one.accounts) & set(other.accounts):
        return f"both have {', '.join(sorted(common))}"
    if one.is_appointed and other.is_appointed and _same_name(_words(one.name), _words(other.name)):
        return "the same name"
    return ""


def _same_name(one: list[str], other: list[str]) -> bool:
    """Whether all words of one name are in the other, an initial for a word that begins with it.

    "M. Quispe" and "Quispe Mamani, María" are one person: with two who are called alike, the
    agency writes the second given name or surname of both.
    """
    few, many = sorted((one, other), key=len)
    rest = list(many)
    for word in sorted(few, key=len, reverse=True):
        fits = (w for w in rest if w == word or (len(word) == 1 and w.startswith(word)))
        match = next(fits, None) or next((w for w in rest if len(w) == 1 and word[0] == w), None)
        if match is None:
            return False
        rest.remove(match)
    return len(few) > 1 or len(many) == 1


def _words(name: str) -> list[str]:
    """The words of a name without accents and case, in order of the alphabet."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return sorted(re.findall(r"[a-z]+", "".join(c for c in plain if not unicodedata.combining(c))))
