"""Which person of the register stands behind an account, and who may approve what."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from yupana.config.settings import Settings
from yupana.gate.decisions import Record, pseudonyms
from yupana.gate.measures import Subject
from yupana.gate.register import Register
from yupana.gate.register_parts import Person

AUTHORSHIP = ("register", "adopt")
"""Actions of the gate by which somebody brings a model in."""


def by_pseudonym(settings: Settings, about: Register) -> dict[str, str]:
    """The person's id by the pseudonym of each account that the register names."""
    return {
        name: person.id for person in about.people for name in pseudonyms(settings, person.accounts)
    }


def behind(settings: Settings, about: Register, accounts: Sequence[str]) -> list[Person]:
    """The people of the register that these accounts belong to."""
    by_name = by_pseudonym(settings, about)
    ids = {by_name[name] for name in pseudonyms(settings, accounts) if name in by_name}
    return [person for person in about.people if person.id in ids]


def authors(records: Sequence[Record], model: Subject) -> set[str]:
    """Pseudonyms of those who brought these files in, under whichever version."""
    accounts: set[str] = set()
    for one in records:
        is_authorship = one.kind == "gate" and one.facts.get("action") in AUTHORSHIP and one.signed
        if is_authorship and one.facts.get("sha256") == model.sha256:
            accounts |= one.accounts
    return accounts


def people_behind(
    settings: Settings, about: Register, records: Sequence[Record], model: Subject
) -> tuple[set[str], set[str]]:
    """Ids of the register's people who brought a model in, and pseudonyms of strangers who did.

    What a service account brought in alone may be any author's.
    """
    by_name = by_pseudonym(settings, about)
    mine = authors(records, model)
    services = mine & set(pseudonyms(settings, about.service_accounts))
    people = {by_name[a] for a in mine if a in by_name}
    if services:
        people |= {person.id for person in about.having("author")}
    return people, mine - services - set(by_name)


def not_another(
    settings: Settings,
    about: Register,
    records: Sequence[Record],
    model: Subject,
    accounts: Collection[str],
) -> str:
    """Why those who act by these accounts (pseudonyms) may not approve a model; empty if they may.

    All accounts of the act count but those of services: a stolen key in the author's own session
    is the author's.
    """
    by_name = by_pseudonym(settings, about)
    services = set(pseudonyms(settings, about.service_accounts))
    acting = {by_name[a] for a in accounts if a in by_name}
    wrote, _ = people_behind(settings, about, records, model)
    if (authors(records, model) - services) & set(accounts) or acting & wrote:
        return "the author does not approve the own work"
    people = {p.id: p for p in about.people}
    approvers = [p for p in acting if "approver" in people[p].roles and people[p].is_appointed]
    if not approvers:
        return "no approver of the register acts by these accounts"
    if len(acting) > 1:
        return f"several people act at once: {', '.join(sorted(acting))}"
    return ""
