"""Made complaints with personal data in places that are told, and how much of it is found.

Templates of the first half were looked at while the detector was written; those of the second half
were written before and not looked at since: they and other seeds say how good it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.made_values import INNOCENT, PERSONAL
from yupana.privacy.detect import detect

SEEN = """Soy {NOMBRE}, con DNI {DNI}, y solicito que reparen la pista de mi calle desde {date}.
Mi nombre es {NOMBRE} y vivo en {DIRECCIÓN}. El recibo vino por {amount}.
Señor alcalde: me llamo {NOMBRE}, identificado con DNI N° {DNI}. Mi celular es {TELÉFONO}.
Llámenme al {TELÉFONO} por favor, no tenemos agua hace {count}.
Escríbame a {CORREO} o al cel {TELÉFONO}, gracias.
El taxi de placa {PLACA} se pasó la luz roja en {office}.
La camioneta {PLACA:bare} está abandonada frente a mi casa, {DIRECCIÓN}.
Me cobraron {amount} en mi tarjeta {TARJETA} sin autorización el {date}.
Deposité en la cuenta {CUENTA} del BCP y no me devuelven los {amount}.
La empresa con RUC {RUC} no entrega boletas, según la {law}.
Mi hijo {NOMBRE:given} no fue atendido en {office} el {date}.
La doctora {NOMBRE:surname} me trató mal en la posta, {case}.
Atentamente, {NOMBRE}. DNI {DNI}
Según {case} presentado el {date}, pagué {amount} y nadie responde.
{office} prometió arreglar {line} y van {count} sin obras.
Quisiera saber el estado de mi {case}, amparado en la {law}.
La señora {NOMBRE} de {DIRECCIÓN} bota basura en la noche.
soy {NOMBRE} mi dni es {DNI} y no me llega el bono de {amount}
DNI {DNI} no aparece en el padrón, {law}
Consulta del ciudadano con carné de extranjería {CE}, su correo es {CORREO}.
En {office} no hay medicinas para mi madre {NOMBRE}, edad 67 años.
{line} pasa cada 40 minutos, queremos más buses en {office}.
Pido copia del {case}. Tel {TELÉFONO}
Yapeé {amount} al {TELÉFONO} y era una estafa.
Denuncio a {NOMBRE}, que vende terrenos en {DIRECCIÓN} por {amount}.
El poste de {DIRECCIÓN} se va a caer, lo reporté el {date} con {case}.
{NOMBRE} - {DNI} - {TELÉFONO}
Hay huecos en toda la pista, cerca de {office}, desde {count}.
A nombre de {NOMBRE} figura una multa de {amount} que no corresponde.
El semáforo de {office} no funciona desde el {date}; según {law} es su obligación.""".splitlines()
HELD_BACK = """Buenos días, le saluda {NOMBRE}, vecina de {office}, para pedir más serenazgo.
El que suscribe, {NOMBRE}, con documento de identidad {DNI}, expone que el {date} cortaron la luz.
No llega agua a {DIRECCIÓN}. Contacto: {TELÉFONO}.
mi mama {NOMBRE} espera cita hace {count} y nadie contesta el fono {TELÉFONO}
Adjunto mis datos: {NOMBRE}, {DNI}, {CORREO}, {TELÉFONO}.
La mototaxi con placa {PLACA} atropelló a mi perro en {DIRECCIÓN}.
Un auto {PLACA:bare} bloquea la rampa todos los días, {law} lo prohíbe.
Pagué con la Visa {TARJETA} un total de {amount} y me cobraron doble.
Mi CCI es {CUENTA} para que me devuelvan {amount}.
Factura de la empresa {RUC}, emitida el {date}, con monto errado de {amount}.
RUC: {RUC}, razón social de mi negocio ubicado en {DIRECCIÓN}.
Me atendió el señor {NOMBRE} y pidió una coima de {amount}.
La profesora {NOMBRE:given} grita a los niños en {office}.
Don {NOMBRE:surname} construye sin licencia al lado de {office}.
Mi esposo {NOMBRE} falleció el {date} y no procede la pensión de {amount}.
Mi domicilio es {DIRECCIÓN}, tengo DNI {DNI} y necesito duplicado del {case}.
Firmado: {NOMBRE}
No estoy de acuerdo con {law}; ya presenté {case} y me cobran {amount}.
El paradero de {line} queda a {count} de {office} y es peligroso.
Desde el {date} espero respuesta, {case}, y van {count}.
Las veredas alrededor de {office} están rotas hace {count}.
Mi correo: {CORREO}. Espero la respuesta del {case}.
Con {CE} como carné de extranjería no me dejan sacar cita, soy {NOMBRE}.
Carné de extranjería N° {CE}, llamar al {TELÉFONO} por favor.
Busco a mi hermano {NOMBRE}, visto por última vez cerca de {office}.
Ruido en {DIRECCIÓN} hasta las 3 am, los vecinos {NOMBRE} y {NOMBRE} somos testigos.
si me pueden llamar {TELÉFONO} o escribir {CORREO} xq en la web no sale
El trabajador {NOMBRE} me dijo que el trámite cuesta {amount} y no {amount}.
Gracias por su atención, {NOMBRE}, DNI: {DNI}, {DIRECCIÓN}.
El presupuesto de {amount} aprobado por {law} no alcanza para {count}.""".splitlines()
WRITTEN = Path(__file__).parent / "golden" / "personal_texts.txt"
"""Texts written after the detector, a line each: `<NOMBRE:…>` marks what is personal."""
REGISTERS = ("formal", "formal", "sms", "capitals", "lower", "bare", "typos", "unicode")
_SLOT = re.compile(r"\{([^}]+)\}")
_MARK = re.compile(r"<([A-ZÓÉ]+):([^>]+)>")
_SHORT = {
    "que": "q",
    "por": "x",
    "porque": "xq",
    "por favor": "xfa",
    "también": "tmb",
    "para": "pa",
}


@dataclass(frozen=True)
class MadeText:
    """A text, and kind, start and end of each piece of personal data in it."""

    text: str
    planted: tuple[tuple[str, int, int], ...]


def made_texts(seed: int, count: int, templates: list[str]) -> Iterator[MadeText]:
    """Texts of these templates in turn, each in a register drawn by the seed."""
    r = Random(seed)
    for number in range(count):
        register = r.choice(REGISTERS)
        parts, planted, length = [], [], 0
        for place, piece in enumerate(_SLOT.split(templates[number % len(templates)])):
            kind = piece if place % 2 else ""
            value = (PERSONAL | INNOCENT)[kind](r) if kind else piece
            value = _written(value, register, r, literal=not kind)
            if kind in PERSONAL:
                planted.append((kind.split(":")[0], length, length + len(value)))
            parts.append(value)
            length += len(value)
        yield MadeText("".join(parts), tuple(planted))


def written_texts() -> Iterator[MadeText]:
    """The texts of `WRITTEN`, which share neither templates nor names with the made ones."""
    for line in WRITTEN.read_text("utf-8").splitlines():
        text, last, planted = "", 0, []
        for mark in _MARK.finditer(line):
            text += line[last : mark.start()]
            planted.append((mark[1], len(text), len(text) + len(mark[2])))
            text, last = text + mark[2], mark.end()
        yield MadeText(text + line[last:], tuple(planted))


def _written(text: str, register: str, r: Random, *, literal: bool) -> str:
    if register == "capitals":
        return text.upper()
    if register == "lower":
        return text.lower()
    if register in ("bare", "sms"):
        text = _without_accents(text)
    if register == "sms":
        text = text.lower()
        if literal:
            text = re.sub(r"\w+", lambda m: _SHORT.get(m.group(), m.group()), text)
    if register == "typos" and literal:
        text = re.sub(r"\b\w{6,}\b", lambda m: _typo(m.group(), r), text)
    if register == "unicode":
        text = unicodedata.normalize("NFD", text).replace(
            " ", "\u00a0" if r.random() < 0.3 else " "
        )
        if r.random() < 0.2:
            text = re.sub("[0-9]", lambda m: chr(0xFF10 + int(m.group())), text)
        if not literal and r.random() < 0.2 and len(text) > 4:
            text = text[:3] + "\u200b" + text[3:]
    return text


def _typo(word: str, r: Random) -> str:
    if r.random() < 0.8:
        return word
    at = r.randrange(1, len(word) - 2)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _without_accents(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


class Score:
    """Found and planted by kind; `lost` and `wrong` are examples to look at."""

    def __init__(self, texts: Iterable[MadeText]) -> None:
        self.planted: Counter[str] = Counter()
        self.found: Counter[str] = Counter()
        self.spans: Counter[str] = Counter()
        self.right: Counter[str] = Counter()
        self.lost: list[str] = []
        self.wrong: list[str] = []
        for made in texts:
            self._add(made)

    def _add(self, made: MadeText) -> None:
        spans = detect(made.text)
        covered = {i for s in spans for i in range(s.start, s.end)}
        for kind, start, end in made.planted:
            self.planted[kind] += 1
            whole = all(i in covered for i in range(start, end) if made.text[i].isalnum())
            self.found[kind] += whole
            if not whole:
                self.lost.append(f"{kind} {made.text[start:end]!r} in {made.text!r}")
        for s in spans:
            self.spans[s.kind.value] += 1
            right = any(s.start < end and start < s.end for _, start, end in made.planted)
            self.right[s.kind.value] += right
            if not right:
                self.wrong.append(f"{s.kind.value} {made.text[s.start : s.end]!r} in {made.text!r}")

    def recall(self, kind: str) -> float:
        return self.found[kind] / max(1, self.planted[kind])

    @property
    def precision(self) -> float:
        return sum(self.right.values()) / max(1, sum(self.spans.values()))

    def table(self) -> str:
        """By kind: planted, recall (masked whole, under whatever word), spans, precision."""
        rows = [f"{'kind':<10} {'planted':>7} {'recall':>7} {'spans':>6} {'precision':>9}"]
        for kind in sorted(self.planted | self.spans):
            right = self.right[kind] / max(1, self.spans[kind])
            rows.append(
                f"{kind:<10} {self.planted[kind]:>7} {self.recall(kind):>7.3f} "
                f"{self.spans[kind]:>6} {right:>9.3f}"
            )
        return "\n".join([*rows, f"precision of all {self.precision:.3f}"])


if __name__ == "__main__":
    seeds = range(101, 106)
    for name, templates in (("templates seen", SEEN), ("templates held back", HELD_BACK)):
        made = (text for seed in seeds for text in made_texts(seed, 600, templates))
        print(f"\n{name}, seeds 101 to 105\n{Score(made).table()}")
    print(f"\nwritten texts\n{Score(written_texts()).table()}")
