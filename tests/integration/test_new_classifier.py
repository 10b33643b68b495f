"""From a CSV of one's own to an answered request: the contract is drafted, a classifier is written,
and it trains, serves and is monitored."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

import copied_project
import pytest
import yaml
from copied_project import Project

NAME, DATASET = "solicitudes", "requests"
PHRASES = {
    "Alumbrado público": (
        "la farola de la esquina no prende", "el poste del mercado está sin foco",
        "falta alumbrado en la alameda", "se quemó la luminaria del parque",
    ),
    "Limpieza": (
        "el camión no recoge la basura", "los contenedores están llenos de basura",
        "nadie barre la plaza", "hay un basural que huele mal",
    ),
    "Ruido": (
        "el bar pone música muy fuerte", "las fiestas no dejan dormir",
        "la discoteca tiene parlantes en la calle", "una obra hace ruido de noche",
    ),
}  # fmt: skip
STREETS = ("jirón Lima", "avenida Grau", "calle Los Pinos", "pasaje Sucre", "jirón Junín")
ANSWERS = {
    "título en español": "Solicitudes de vecinos", "quién lo publica": "Autoridad de prueba",
    "para qué sirve": "Una prueba", "qué le falta": "Textos hechos para una prueba",
    "the licence, or that none is stated": "none",
    "one row is one code?": "One row is one request.",
    "a code of expectations/subject_areas.csv": "complaints",
}  # fmt: skip
"""What a person writes in the place of each TODO of the draft."""


def requests() -> str:
    """120 requests of 40 case files, in a publisher's own columns."""
    random = Random(3)
    lines = ["codigo,expediente,fecha,asunto,descripcion,tema"]
    for number in range(120):
        file, label = number // 3, list(PHRASES)[number // 3 % 3]
        street = random.choice(STREETS)
        # Now and then somebody chose another label: nothing is told apart without an error.
        chosen = random.choice(list(PHRASES)) if random.random() < 0.1 else label
        day = date(2025, 1, 1) + timedelta(days=number)
        text = f"En {street} {random.choice(PHRASES[label])} hace {random.randint(2, 9)} días."
        lines.append(
            f"S{number:04},EXP-{file:03},{day:%d/%m/%Y},Pedido por {street},{text},{chosen}"
        )
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    root = tmp_path_factory.mktemp("project")
    copied_project.write(root)
    source = root / "solicitudes.csv"
    source.write_text(requests(), encoding="utf-8")
    with copied_project.opened(root) as opened:
        drafted = opened.python.yupana("contract", "draft", str(source), "--name", DATASET)
        assert drafted.code == 0, drafted.stderr
        contract = root / "expectations" / DATASET / "contract.yaml"
        text = contract.read_text("utf-8")
        for question, answer in ANSWERS.items():
            text = text.replace(f"TODO: {question}", answer)
        assert "TODO: " not in text
        contract.write_text(text, "utf-8")
        rows = opened.python.json("ingest", DATASET, "--source", str(source))["rows"]
        assert rows == {"read": 120, "published": 120, "quarantined": 0}
        yield opened


def train(project: Project) -> str:
    """The steps of the pipeline in one process; returns the alias of the model."""
    call = project.python.json
    split = call("split", NAME)["outputs"][0]
    candidate = call("fit", NAME, "--split", split)["outputs"][0]
    call("evaluate", NAME, "--candidate", candidate)
    return str(call("register", NAME, "--candidate", candidate)["alias"])


def test_what_cannot_be_a_classifier_writes_nothing(project: Project) -> None:
    def refused(*words: str) -> str:
        output = project.python.yupana("new", "usecase", "x", "--task", "classify", *words)
        assert output.code == 2, output.stdout
        return output.stderr

    files = set(project.root.rglob("*.yaml"))
    of = ("--data", DATASET)
    assert "Nothing of 'dengue_linelist' is published" in refused("--data", "dengue_linelist")
    # Five streets among 120 headings look like labels, too.
    unclear = refused(*of)
    assert "label is not clear: asunto, tema" in unclear and "--column label=COLUMN" in unclear
    label = (*of, "--column", "label=tema")
    assert "'no_such' is not a text" in refused(*label, "--column", "text=no_such")
    assert "'tema' is not a day" in refused(*label, "--column", "time=tema")
    assert "is not a text's own name" in refused(*label, "--column", "entity=case_file")
    assert "'code' is not a column of labels" in refused(*of, "--column", "label=code")
    assert "reads no 'count'" in refused(*label, "--count", "code")
    assert "Write PART=COLUMN" in refused(*of, "--column", "label")
    assert set(project.root.rglob("*.yaml")) == files


def test_a_written_classifier_trains_serves_and_is_monitored(project: Project) -> None:
    before = {p: p.read_bytes() for p in project.root.rglob("*.py") if "home" not in p.parts}
    call = project.python.json
    words = ("new", "usecase", NAME, "--task", "classify", "--data", DATASET)
    assert all(NAME in path for path in call(*words, "--column", "label=tema")["files"])
    assert all(p.read_bytes() == content for p, content in before.items()), "no other file changed"
    spec = yaml.safe_load((project.root / "models" / NAME / "usecase.yaml").read_text("utf-8"))
    labels = spec["classify"].pop("labels")
    assert spec["classify"] == {
        "text": "description", "label": "tema", "group": "case_file", "time": "date",
        "title": "asunto", "languages": ["es"],
    }  # fmt: skip
    assert spec["entity"] == {"key": "code"} and set(labels) == {*PHRASES}
    assert call("usecases", "check", NAME)["complete"]
    assert call("features", NAME)["rows"] == 120
    if train(project) != "champion":
        # Counting words may be as good on texts that are made up: a person decides.
        call("models", "promote", f"{NAME}@1", "--reason", "a first try")
    assert call("deploy", NAME)["tag"] == f"{NAME}:1"
    asked = [{"text": "El camión no recoge la basura de la plaza hace tres días"}, {"text": "Hola"}]
    plain, short = project.ask(NAME, "classify", {"texts": asked})["predictions"]
    assert plain["label"] == "Limpieza" and plain["model"] == f"model:{NAME}@1"
    assert sum(plain["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    assert short["abstention"] == "too_short"
    assert call("monitor", NAME)["checks"]["alarm"] == 0
    assert call("report", "build", "--use-case", NAME)
    cases, out = project.root / "solicitudes.csv", project.root / "report.json"
    scored = call("evaluate", NAME, "--cases", str(cases), "--out", str(out))
    assert out.exists() and scored["n"] == 120 and scored["groups"] == 40
    # The one command of a process of its own: another reads what all of them left.
    line = [sys.executable, "-m", "yupana.cli.main", "trace", plain["prediction_id"]]
    road = subprocess.run(
        line, cwd=project.root, env=project.environment, capture_output=True, text=True
    )
    assert road.returncode == 0 and "solicitudes.csv" in road.stdout, road.stderr
