"""The report in plain words, Spanish and English, made from the numbers that are shown."""

from __future__ import annotations

from typing import Any

from yupana.tasks.forecast.places import PERIODS, Noun
from yupana.tasks.forecast.usecases import ForecastUseCase

Line = dict[str, str]


def summary(report: dict[str, Any], definition: ForecastUseCase) -> list[Line]:
    """Sentences for people who do not read tables: for whom it is worse, whether that can be
    said, what was missed, and who is not measured.

    Args:
        report: as `report.make` returns it, without its summary.
    """
    noun, frequency = definition.places.noun, definition.frequency
    period = PERIODS[frequency.name]
    everyone, *groups = report["groups"]
    return [
        _overall(report, everyone, noun, period),
        *_worse(groups, noun),
        *_width([everyone, *groups]),
        *_alerts(report, everyone, noun, period, report["alert"][f"{frequency.listing}_ahead"]),
        *_who_misses(groups, period),
        *_untold(report),
    ]


def _line(es: str, en: str) -> Line:
    return {"es": es, "en": en}


def _overall(report: dict[str, Any], of: dict[str, Any], noun: Noun, period: Noun) -> Line:
    first, last = report["period"]["from"], report["period"]["to"]
    ratio, ends = of["ratio"], of["ratio_interval"]
    if ends is None:
        sure_es = f"no hay intervalo: son poc{noun.o}s {noun.es_many}"
        sure_en = f"too few {noun.en_many} to be sure"
    elif ends[1] < 1:
        sure_es, sure_en = "es seguro que erró menos", "it surely erred less"
    elif ends[0] > 1:
        sure_es, sure_en = "es seguro que erró más", "it surely erred more"
    else:
        sure_es, sure_en = "la diferencia puede ser azar", "the difference may be chance"
    between = f" ({_n(ends[0])}–{_n(ends[1])})" if ends else ""
    return _line(
        f"Se comparan {_count(of['n'])} pronósticos de {of['districts']} {noun.es_many} con lo que "
        f"pasó, en {period.the_many} que terminan del {first} al {last}. Por cada error de 1 del "
        f"mejor método simple ({report['baseline']}), el modelo tuvo {_n(ratio)}{between}: "
        f"{sure_es}.",
        f"{_count(of['n'])} forecasts of {of['districts']} {noun.en_many} are held against what "
        f"came, in the {period.en_many} that end from {first} to {last}. For each error of 1 of "
        f"the best simple method ({report['baseline']}) the model had {_n(ratio)}{between}: "
        f"{sure_en}.",
    )


def _worse(groups: list[dict[str, Any]], noun: Noun) -> list[Line]:
    compared = [g for g in groups if g["against_others"]]
    worse = [g for g in compared if g["against_others"]["says"] == "worse"]
    if worse:
        return [
            _line(
                f"El modelo es peor para: {_times(worse, 'es')} que para los demás; más de lo que "
                "explica el azar.",
                f"The model is worse for: {_times(worse, 'en')} than for the others; more than "
                "chance explains.",
            )
        ]
    if not compared:
        return [
            _line(
                "No se puede decir si es peor para algún grupo: son muy "
                f"poc{noun.o}s {noun.es_many}.",
                "Whether it is worse for any group cannot be said: there are too few "
                f"{noun.en_many}.",
            )
        ]
    seems = max(compared, key=lambda g: (g["against_others"]["times"], g["es"]))
    low, high = seems["against_others"]["interval"]
    return [
        _line(
            f"De {len(compared)} grupos comparados, de ninguno se puede decir que le vaya peor que "
            f"a los demás. El que más lo parece es {name(seems, 'es')}: "
            f"{_n(seems['against_others']['times'])} veces ({_n(low)}–{_n(high)}), lo que puede "
            "ser azar. No es prueba de que sea igual para todos.",
            f"Of {len(compared)} groups compared, none can be said to fare worse than the others. "
            f"The one that most seems to is {name(seems, 'en')}: "
            f"{_n(seems['against_others']['times'])} times ({_n(low)}–{_n(high)}), which may be "
            "chance. That does not prove it equal for all.",
        )
    ]


def _width(groups: list[dict[str, Any]]) -> list[Line]:
    narrow = [g for g in groups if g["coverage_interval"] and g["coverage_interval"][1] < 0.9]
    if narrow:
        return [
            _line(
                f"Promete más certeza de la que tiene para: {_names(narrow, 'es')}: menos de 90 de "
                "100 recuentos cayeron en su intervalo de 90 %.",
                f"It promises more certainty than it has for: {_names(narrow, 'en')}: fewer than "
                "90 in 100 counts fell into its 90 % interval.",
            )
        ]
    measured = [g for g in groups if g["coverage_90"] is not None]
    if not measured:
        return []
    least = min(measured, key=lambda g: (g["coverage_90"], g["es"]))
    share = f"{100 * least['coverage_90']:.1f}"
    return [
        _line(
            "De ningún grupo se puede decir que sus intervalos de 90 % sean demasiado estrechos; "
            f"el de menor cobertura es {name(least, 'es')}, con {share} %.",
            "Of no group can it be said that its 90 % intervals are too narrow; the lowest "
            f"coverage is that of {name(least, 'en')}, {share} %.",
        )
    ]


def _alerts(
    report: dict[str, Any], of: dict[str, Any], noun: Noun, period: Noun, ahead: int
) -> list[Line]:
    missed, false = of["missed"], of["false_alarms"]
    if missed["n"] is None:
        return []
    lead = period.count(ahead)
    lines = [
        _line(
            f"Con {lead.es} de anticipación no avisó de {missed['n']} de l{period.o}s "
            f"{missed['of']} {period.es_many} de {noun.es} en alerta o epidemia, y {false['n']} de "
            f"los {false['of']} avisos fueron falsos.",
            f"{lead.en} ahead it told nothing of {missed['n']} of the {missed['of']} {noun.en} "
            f"{period.en_many} of alert or epidemic, and {false['n']} of the {false['of']} alerts "
            "were false.",
        )
    ]
    costs = report["costs"]
    if costs is None:
        lines.append(
            _line(
                "La entidad no ha fijado lo que cuesta un aviso omitido ni uno falso.",
                "The agency has not set what a missed alert costs, nor a false one.",
            )
        )
    else:
        omitted, spent = (_count(round(v["cost"])) for v in (missed, false))
        es, en = f"que fijó {costs['set_by']}", f"set by {costs['set_by']}"
        if not costs["set"]:
            es, en = "de ejemplo, que la entidad aún no ha fijado", "of the example, not yet set"
        unit = costs["currency"]
        lines.append(
            _line(
                f"Con los costos {es}: {omitted} por lo no avisado y {spent} por los avisos falsos "
                f"({unit}).",
                f"At the costs {en}: {omitted} for what was missed and {spent} for false alarms "
                f"({unit}).",
            )
        )
    return lines


def _who_misses(groups: list[dict[str, Any]], period: Noun) -> list[Line]:
    worse = [g for g in groups if (g["missed"]["against_others"] or {}).get("says") == "worse"]
    if worse:
        es, en = ("; ".join(f"{name(g, lang)}, {_rate(g)}" for g in worse) for lang in _LANGS)
        return [
            _line(
                f"Se quedan sin aviso más que los demás: {es} de sus {period.es_many} de alerta; "
                "más de lo que explica el azar.",
                f"Left without an alert more than the others: {en} of their alert "
                f"{period.en_many}; more than chance explains.",
            )
        ]
    measured = [g for g in groups if g["missed"]["rate"] is not None]
    if len(measured) < 2:
        return []
    most = max(measured, key=lambda g: (g["missed"]["rate"], g["es"]))
    return [
        _line(
            f"Donde más se omitió: {name(most, 'es')}, {_rate(most)} de sus {period.es_many} de "
            "alerta. De ningún grupo se puede decir que sea más que en los demás.",
            f"Most was missed in: {name(most, 'en')}, {_rate(most)} of its alert {period.en_many}. "
            "Of no group can it be said to be more than in the others.",
        )
    ]


def _rate(group: dict[str, Any]) -> str:
    share, ends = group["missed"]["rate"], group["missed"]["interval"]
    between = f" ({100 * ends[0]:.0f}–{100 * ends[1]:.0f} %)" if ends else ""
    return f"{100 * share:.0f} %{between}"


def _untold(report: dict[str, Any]) -> list[Line]:
    lines = []
    if hidden := [g for g in report["groups"] if g["suppressed"]]:
        lines.append(
            _line(
                f"De {len(hidden)} grupos no se muestran todas las cifras, para que nadie deduzca "
                "un recuento de 1 a 4.",
                f"Of {len(hidden)} groups not all figures are shown, so that nobody can work out "
                "a count from 1 to 4.",
            )
        )
    if missing := report["unmeasured"]:
        es, en = ("; ".join(u[lang][0].lower() + u[lang][1:] for u in missing) for lang in _LANGS)
        lines.append(_line(f"No se mide: {es}.", f"Not measured: {en}."))
    return lines


_LANGS = ("es", "en")


def name(group: dict[str, Any], lang: str) -> str:
    """A group's name inside a sentence."""
    name = str(group[lang])
    return name[0].lower() + name[1:]


def _names(groups: list[dict[str, Any]], lang: str) -> str:
    return "; ".join(name(g, lang) for g in groups)


def _times(groups: list[dict[str, Any]], lang: str) -> str:
    factor = "veces el error relativo" if lang == "es" else "times the relative error"
    return "; ".join(
        f"{name(g, lang)}, {_n(g['against_others']['times'])} {factor}" for g in groups
    )


def _count(value: int) -> str:
    return f"{value:,}".replace(",", "\u202f")


def _n(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
