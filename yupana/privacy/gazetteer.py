"""Words that speak for or against a name; all lower case and without accents."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from typing import NamedTuple

from yupana.privacy.kinds import wordset


class Gazetteer(NamedTuple):
    """Given names and surnames; `common` of them are words or places too.

    `words` are no names; `places` bear a person's name.
    """

    given: frozenset[str]
    surnames: frozenset[str]
    common: frozenset[str]
    names: frozenset[str]
    words: frozenset[str]
    places: frozenset[str]


@lru_cache(maxsize=1)
def gazetteer() -> Gazetteer:
    """The lists of `yupana/privacy/names`, read once."""
    given, surnames, common, words = (
        frozenset(" ".join(_lines(name)).split())
        for name in ("given", "surnames", "common", "words")
    )
    words |= NOT_NAMES | CUES | NO_PERSON
    places = frozenset(_lines("places"))
    return Gazetteer(given, surnames, common, given | surnames, words, places)


def _lines(name: str) -> list[str]:
    file = resources.files("yupana.privacy") / "names" / f"{name}.txt"
    return [line for line in file.read_text("utf-8").splitlines() if not line.startswith("#")]


# Before a name, whoever it is.
NAMED = wordset(
    "llamo llama llamado llamada nombre nombres apellidos apellido apellida firmado firma"
)
TITLES = wordset(
    "soy yo sr sra srta srita senor senora senorita don dona dr dra doctor doctora ing ingeniero "
    "ingeniera lic licenciado licenciada prof profesor profesora arq abog tec atentamente atte "
    "att cordialmente saludos joven ciudadano ciudadana denunciante solicitante recurrente "
    "administrado administrada"
)
PEOPLE = wordset(
    "hijo hija hijos hijas esposo esposa madre padre mama papa hermano hermana abuelo abuela "
    "abuelita tio tia primo prima sobrino sobrina vecino vecina suegra suegro nieto nieta cunado "
    "cunada yerno nuera conviviente pareja hijito hijita menor bebe amigo amiga paciente usuario "
    "usuaria titular conductor chofer trabajador trabajadora funcionario funcionaria servidor "
    "servidora empleado empleada enfermero enfermera obstetra medico cajero cajera vigilante "
    "suboficial policia sereno director directora docente alumno alumna auxiliar tecnico tecnica "
    "duena "
    "dueno propietario propietaria inquilino inquilina senores senoras companero companera "
    "atendio firmante representante apoderado apoderada gracias inspector secretaria secretario "
    "comerciante"
)
CUES = NAMED | TITLES | PEOPLE
# "denuncio a Juan".
TO_SOMEBODY = wordset(
    "denuncio denunciar denuncie acuso busco conozco vi llame pregunte reclame pague"
)
WITH_SOMEBODY = wordset("hablar hable comunicarse contactar coordinar hablen casado casada")
# Before the name of a street, a house or an office: it is not the person who is meant.
NO_PERSON = wordset(
    "hospital clinica colegio ie institucion educativa escuela universidad instituto avenida av "
    "avda jr jiron calle ca pasaje psje pje plaza plazuela parque puente ovalo estadio mercado "
    "urbanizacion urb aahh hh asentamiento distrito provincia region departamento ciudad puerto "
    "aeropuerto posta salud museo biblioteca estacion paradero terminal alameda malecon "
    "presidente presidenta expresidente ministro ministra alcalde alcaldesa congresista "
    "gobernador gobernadora gobierno ley caso premio fundacion barrio comunidad caserio anexo "
    "complejo coliseo promocion cooperativa asociacion proyecto tren carretera via prolongacion "
    "iee ceba cetpro pronoei comisaria cuartel fuerte centro comedor san santa santo santos "
    "virgen senor-de beato rio laguna cerro isla municipalidad teatro loza losa nido academia "
    "fundo editorial banco caja tienda botica farmacia restaurante pollos galeria residencial "
    "condominio defensor contralor canciller premier papa-francisco libertador almirante mariscal "
    "zona sector bloque"
)
# Steps over on the way back from a name to what stands before it.
STEPS = wordset(
    "de del la el los las nacional general regional municipal distrital provincial central "
    "publico estatal don doña nro no n dr doctor padre madre capitan teniente coronel apostol "
    "nuestra senora medico infantil policlinico referencial primario inicial secundario mayor "
    "cenmayor"
)
ABBREVIATIONS = wordset(
    "av avda jr ca urb psje pje dr dra sr sra srta ing lic prof arq abog tec atte att"
)
PARTICLES = wordset("de del la las los")
# With a capital letter beside a name, and no part of it.
NOT_NAMES = wordset(
    "municipalidad ministerio gobierno alcalde alcaldesa presidente presidenta director directora "
    "gerente jefe jefa ministro ministra vecino vecina senor senora senores doctor doctora dni "
    "ruc lima peru callao cusco arequipa puno piura tacna av jr calle hola buenas buenos gracias "
    "solicito pido quiero hospital posta colegio policia comisaria sunat reniec essalud sis por "
    "favor que con mi su el la los las un una en de del y a e o se me le les lo no si ya ha he es "
    "era fue soy somos son esta estoy vivo tengo cel celular telefono correo quien domiciliado "
    "domiciliada identificado identificada para desde porque pero cuando como este ese otra otro "
    "todo toda muy mas menos hoy ayer siempre nunca usted ustedes regidor regidora congresista "
    "gobernador gobernadora fiscal juez jueza atentamente saludos distrito provincia region "
    "asunto fecha ciudadano ciudadana hace dice dijo pide vive viene tiene trabaja cobra cobro "
    "atendio atiende maltrato llamo llama necesita necesito reclama reclamo denuncia denuncio nos "
    "sus sin sobre hay han fui quisiera pidio grito insulto esto eso encargado encargada medico "
    "paciente usuario usuaria numero placa cuenta tarjeta direccion mz lote urb"
)
