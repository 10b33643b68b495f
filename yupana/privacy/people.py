"""Names of persons: words of a list in a row, or one of them after a word that announces it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from yupana.privacy.fold import GONE, Folded
from yupana.privacy.gazetteer import (
    ABBREVIATIONS,
    CUES,
    NAMED,
    NO_PERSON,
    PARTICLES,
    STEPS,
    TITLES,
    TO_SOMEBODY,
    WITH_SOMEBODY,
    gazetteer,
)
from yupana.privacy.kinds import wordset

_WORD = re.compile(r"[^\W\d_]+")
_BESIDE = re.compile(r" {1,3}|[-']|\. ?|, ?")
_AFTER_CUE = re.compile(r"[\s.:,;\-()\"*]{1,6}")
# Endings of verbs, participles and adverbs.
_INFLECTED = re.compile(
    r"(?:mente|cion|ciones|aron|ieron|aban?|ando|iendo|[ai]d[oa]s?|aste|amos|emos|imos|arse|erse|"
    r"irse|"
    r"arme|erme|irme|arnos|able|ible|isim[oa]|ist[ae]s?|ismo)$"
)
_DOCUMENT = re.compile(
    rf"[\s,.:;()\-]{{1,4}}(?:con |de )?(?:d\.?n\.?i\b|ruc\b|identificad[oa]|{GONE})"
)
_WITH_PARTICLE = wordset("cruz torre aguila vega fuente puente carpio pino valle rosa")
_LONGEST = 7
_STEPS_BACK = 4


class Word(NamedTuple):
    start: int
    end: int
    text: str


def names(text: str, folded: Folded) -> Iterator[tuple[int, int]]:
    """Where names stand in a folded text; capital letters are read from the original."""
    lists = gazetteer()
    words = [Word(m.start(), m.end(), m.group()) for m in _WORD.finditer(text)]
    reader = _Reader(text, folded, words)
    at = done = 0
    while at < len(words):
        word = words[at].text
        if word in lists.names or (word not in lists.words and reader.may_open(at)):
            members = reader.run(at, done)
            if reader.is_name(members):
                first = reader.opening(members[0])
                yield words[first].start, words[members[-1]].end
            # Of a run that is no name, no part is one: it is a place, or words.
            at, done = members[-1], members[-1] + 1
        at += 1


class _Reader:
    """One text's words, looked at around a place."""

    def __init__(self, text: str, folded: Folded, words: list[Word]) -> None:
        self.text, self.original, self.words = text, folded.original, words
        self.places = folded.places
        self.lists = gazetteer()

    def run(self, at: int, done: int) -> list[int]:
        """Places of the words that stand together around `at` as those of a name do."""
        members = self._members(at)
        return members if self.cue(at) else self._before(members, done) + members

    def opening(self, first: int) -> int:
        """Where a name begins whose first surname is `de la Cruz`, `del Águila`."""
        if self.words[first].text in _WITH_PARTICLE:
            before = [word.text for word in self.words[max(0, first - 2) : first]]
            if before == ["de", "la"]:
                return first - 2
            if before[-1:] == ["del"]:
                return first - 1
        return first

    def cue(self, first: int) -> str:
        """`named` or `title` before a word, either lets an unknown word follow; `person`; or "
        "empty."""
        at = self.opening(first) - 1
        if at < 0 or not _AFTER_CUE.fullmatch(self._gap(at)):
            return ""
        word = self.words[at].text
        near = at and GONE not in self._gap(at - 1)
        before = self.words[at - 1].text if near else ""
        if word in ("el", "la") and before in TITLES:
            return "title"
        if (word == "a" and before in TO_SOMEBODY) or (word == "con" and before in WITH_SOMEBODY):
            return "person"
        if word == "es":
            return "named" if before in ("nombre", "nombres", "completo") else ""
        if word == "de":
            return "named" if before in ("dni", "nombre", "ruc") else ""
        if word not in CUES:
            return ""
        return "named" if word in NAMED else "title" if word in TITLES else "person"

    def may_open(self, first: int) -> bool:
        """Whether a word that no list has can begin a name: only after a cue."""
        cue = self.cue(first)
        if not cue or not self._unheard(first):
            return False
        capital, after = self._capital(first), first + 1
        after += (step := self._particles(after))
        goes_on = self._beside(after, step) and (
            self.words[after].text in self.lists.names
            or (step == 0 and self._unheard(after) and self._capital(after) == capital)
        )
        if cue == "named" or goes_on:
            return True
        return (cue == "person" and capital) or (
            cue == "title" and self.words[first - 1].text not in ("soy", "yo")
        )

    def _members(self, first: int) -> list[int]:
        """Places of the words that make up the run, without particles and initials."""
        members, at, unheard, capital = [first], first + 1, 0, self._capital(first)
        while len(members) < _LONGEST:
            step = self._particles(at)
            if not self._beside(at + step, step):
                break
            at += step
            if self.words[at].text in self.lists.names:
                members.append(at)
            elif step == 0 and self._unheard(at) and self._capital(at) == capital and unheard < 3:
                unheard += 1
                members.append(at)
            elif step or not self._initial(at):
                break
            at += 1
        return members

    def _before(self, members: list[int], done: int) -> list[int]:
        """Given names that no list has, before surnames: told by capitals or by two surnames."""
        if members[0] <= done or not self._unheard(members[0] - 1):
            return []
        sure = [m for m in members if self._sure(m)]
        document = self._before_a_document(members[-1])
        if not (sure or document) or self.words[members[0]].text not in self.lists.surnames:
            return []
        before: list[int] = []
        for place in range(members[0] - 1, max(done, members[0] - 2) - 1, -1):
            capital = self._capital(place) and self._capital(members[0])
            if not self._unheard(place) or not self._beside(place + 1, 0):
                break
            if not capital and (before or len(sure) < (1 if document else 2)):
                break
            before.insert(0, place)
        return before

    def is_name(self, members: list[int]) -> bool:
        """Whether these words are a person's name: by a cue, by their number, by what they are."""
        lists, texts = self.lists, [self.words[m].text for m in members]
        cue = self.cue(members[0])
        if (len(members) < 2 and not cue) or self._of_a_place(members):
            return False
        sure = [m for m in members if self._sure(m)]
        capital = all(self._capital(m) for m in members)
        if cue:
            alone = cue == "person" and len(texts) == 1 and not sure and not capital
            return not alone or texts[0] in lists.given
        if sure:
            given = any(t in lists.given for t in texts)
            return capital or len(sure) > 1 or given or self._before_a_document(members[-1])
        if capital and self._before_a_document(members[-1]):
            return True
        if not capital:
            return len(texts) > 2 and texts[0] in lists.given
        return texts[0] in lists.given and texts[-1] not in lists.given - lists.surnames

    def _before_a_document(self, last: int) -> bool:
        """Whether a document, a telephone or the like follows, as after a name in a list."""
        return bool(_DOCUMENT.match(self.text, self.words[last].end))

    def _sure(self, at: int) -> bool:
        word = self.words[at].text
        return word in self.lists.names and word not in self.lists.common

    def _of_a_place(self, members: list[int]) -> bool:
        """Whether the words before make it a street, an office or a place."""
        first, last = members[0], members[-1]
        for at in range(first - 1, max(-1, first - 1 - _STEPS_BACK), -1):
            word, gap = self.words[at].text, self._gap(at)
            if GONE in gap or "\n" in gap or "," in gap:
                break
            if word in NO_PERSON or (word == "e" and at and self.words[at - 1].text == "i"):
                return True
            if "." in gap and word not in ABBREVIATIONS:
                break
            if word not in STEPS:
                break
        if self.cue(first):
            return False
        texts = [w.text for w in self.words[first : last + 1]]
        return any(" ".join(texts[:end]) in self.lists.places for end in range(2, len(texts) + 1))

    def _unheard(self, at: int) -> bool:
        """Whether a word is neither a name nor a word that we know."""
        word = self.words[at].text
        if len(word) < 3 or word in self.lists.words or word in self.lists.names:
            return False
        return self._capital(at) or not _INFLECTED.search(word)

    def _initial(self, at: int) -> bool:
        """An initial between two names: Juan C. Pérez."""
        word, after = self.words[at], at + 1
        return (
            len(word.text) == 1
            and (self.text[word.end : word.end + 1] == "." or word.text not in "yaeou")
            and self._beside(after, 0)
            and self.words[after].text in self.lists.names
        )

    def _particles(self, at: int) -> int:
        """How many of "de la", "del" stand from here on, before another word."""
        step = 0
        while step < 3 and at + step < len(self.words) and self.words[at + step].text in PARTICLES:
            step += 1
        return step

    def _beside(self, at: int, step: int) -> bool:
        """Whether a word is there, and it and the `step` before it are parted by blanks alone."""
        if at >= len(self.words):
            return False
        for place in range(at - step - 1, at):
            gap, before = self._gap(place), self.words[place].text
            if not _BESIDE.fullmatch(gap) or ("." in gap and len(before) > 1):
                return False
            if "," in gap and (before in self.lists.given or not self._may_follow_comma(place + 1)):
                return False
        return True

    def _may_follow_comma(self, at: int) -> bool:
        """Whether it is the given name of `Quispe Mamani, Juan`."""
        return self.words[at].text in self.lists.given or self._unheard(at)

    def _gap(self, at: int) -> str:
        """What stands between a word and the next."""
        return self.text[self.words[at].end : self.words[at + 1].start]

    def _capital(self, at: int) -> bool:
        """Whether the word is written Like This and not LIKE THIS."""
        start = self.words[at].start
        first, second = (start, start + 1) if not self.places else self.places[start : start + 2]
        return self.original[first].isupper() and not self.original[second].isupper()
