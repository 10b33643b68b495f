"""`yupana malaria compare`: the forecaster beside three published models, on their own counts."""

from typing import Annotated, Any

import typer

from yupana.console.options import AsJson, emit

DATASET = "malaria_monthly"
PUBLISHED = {f"published_{m}": f"vivax_predicted_{m}" for m in ("rf", "xgb", "svm")}
CAVEATS = (
    "theirs read the climate of the month that they predict; ours knows nothing of it",
    "theirs may have learned from these very months; ours learned from earlier ones",
    "theirs are numbers, negative ones taken as 0; ours is the median of a distribution",
    "P. falciparum is not compared: the data set holds no predictions of it",
)

Span = Annotated[str, typer.Option(help="First month, last one, every how many.")]


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(compare)


def compare(origins: Span = "2015-01:2018-11:1", as_json: AsJson = False) -> None:
    """Forecast P. vivax one month ahead on the counts of malaria_monthly, beside its predictions.

    Mean absolute error, in cases, over the same districts and months for all models; fits are
    made at each year's first origin from what precedes it. What is not comparable is listed.

    Example: yupana malaria compare --origins 2015-01:2018-11:1
    """
    from yupana.config.settings import settings
    from yupana.core.hashing import value_sha256
    from yupana.core.progress import Lines
    from yupana.data.lake import delta
    from yupana.lineage import events, steps

    config = settings()
    source = delta.ref(config.lake, "published", DATASET).ref

    def work() -> steps.Outcome:
        table = delta.read(config.table("published", DATASET))
        scores = errors(table, origins, config.seed, Lines().say)
        facts = {"mean_absolute_error": scores, "not_comparable": "; ".join(CAVEATS)}
        return steps.Outcome((f"comparison:{value_sha256(scores)[:16]}",), metrics=facts)

    code = events.code_hash(config.root, "models/malaria", "feature_repo", "yupana/tasks/forecast")
    depends = [code, config.seed, origins]
    result = steps.run(config, "compare", "malaria", work, inputs=(source,), depends_on=depends)
    emit(result, as_json)


def errors(table: Any, span: str, seed: int, say: Any) -> dict[str, float]:
    """Mean absolute error by model, and `n`, the district-months that it is over."""
    import polars as pl

    from models.malaria import USE_CASE
    from yupana.tasks.forecast.backtest import origins, panel, vintages
    from yupana.tasks.forecast.backtest.areas import Counts

    vivax = USE_CASE.series(table.select("ubigeo", "month_start", "vivax_cases"))
    starts, month = origins.parse(span, USE_CASE.frequency), USE_CASE.frequency
    counted = Counts(vivax, vivax["month_start"].max(), 0)
    panels = panel.build(counted, starts, month, USE_CASE.options.horizons)
    backtest = vintages.forecasts(
        USE_CASE, panels, starts, lambda rows: USE_CASE.features({USE_CASE.counted: rows}),
        seed=seed, say=say,
    )  # fmt: skip
    rows = pl.from_pandas(backtest.rows).filter(series="district", horizon=1)
    ours = rows.with_columns(
        pl.col("entity").str.head(6).alias("ubigeo"),
        month.days_ahead(pl.col("origin").cast(pl.Date), pl.col("horizon")).alias("end"),
    ).pivot(on="model", index=["ubigeo", "end", "observed"], values="q0.5")
    theirs = table.select(
        "ubigeo", month.end_of(pl.col("month_start")).dt.date().alias("end"), "vivax_cases",
        *(pl.col(column).clip(0).alias(name) for name, column in PUBLISHED.items()),
    )  # fmt: skip
    both = ours.join(theirs, on=["ubigeo", "end"]).filter(observed=pl.col("vivax_cases"))
    models = (backtest.final, *backtest.baselines, *PUBLISHED)
    scores = {m: round(float((both[m] - both["observed"]).abs().mean()), 3) for m in models}
    return {**dict(sorted(scores.items(), key=lambda pair: pair[1])), "n": len(both)}
