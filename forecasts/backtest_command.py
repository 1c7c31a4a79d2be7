"""``python -m forecasts backtest``: how good the forecasts are on past data, per lead."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from psycopg import Connection

from forecasts.core.backtest import Backtest, backtest
from forecasts.core.panel import Panel
from forecasts.core.score import LeadScore
from forecasts.fetch import Issue as GuidanceIssue
from forecasts.groups import groups
from forecasts.outside import (
    Outside,
    Plan,
    ahead_of,
    panel_of,
    plan_of,
    read_csv,
    read_guidance,
    specs,
)
from forecasts.past import backtest_group

MAPS = Path(__file__).parents[1] / "ingest" / "maps"
WARM_DAYS = 7
"""Days of a stream's backtest that only fill the record of errors."""


@dataclass(frozen=True, slots=True)
class SeriesScore:
    """The scores of one series, a row per lead."""

    name: str
    log: bool
    rows: list[LeadScore]


@dataclass(frozen=True, slots=True)
class Said:
    """The backtest of one series of a file, and its scores."""

    score: SeriesScore
    panel: Panel
    plan: Plan
    said: Backtest


def score_file(
    outside: Outside,
    learn_days: float | None = None,
    warm_days: float | None = None,
    guidance: Sequence[GuidanceIssue] = (),
) -> list[SeriesScore]:
    """Backtest every series of a file that changes at all; return scores per series and lead."""
    return [said.score for said in backtests(outside, learn_days, warm_days, guidance)]


def backtests(
    outside: Outside,
    learn_days: float | None = None,
    warm_days: float | None = None,
    guidance: Sequence[GuidanceIssue] = (),
) -> Iterator[Said]:
    """Yield the backtest of every series of a file that changes at all.

    ``guidance``: issues of a weather forecast for the place of the file, in its own time.
    """
    plan = plan_of(outside, learn_days, warm_days)
    for index, column in enumerate(outside.columns):
        if np.nanstd(column.values[: plan.first]) == 0:
            continue  # a pump that never ran: nothing to scale by, and every band holds
        spec = specs(outside, plan, index)
        panel = panel_of(outside, index)
        if guidance:
            panel = replace(panel, ahead=ahead_of(outside, spec, guidance))
        said = backtest(panel, spec, plan.first)
        yield Said(SeriesScore(column.name, spec.log, said.table(plan.scored)), panel, plan, said)


def total(scores: list[SeriesScore]) -> list[dict[str, float]]:
    """Return one row per lead: means over series, and how the worst of them did."""
    rows = []
    for lead in zip(*(score.rows for score in scores), strict=True):
        rows.append(
            {
                "lead_h": lead[0].lead_s / 3600,
                "n": sum(s.n for s in lead),
                "mase": _mean([s.mase for s in lead]),
                "mase_persistence": _mean([s.mase_persistence for s in lead]),
                "mase_seasonal": _mean([s.mase_seasonal for s in lead]),
                "gain_on_seasonal": 1 - _ratio([(s.mae, s.mae_seasonal) for s in lead]),
                "gain_on_persistence": 1 - _ratio([(s.mae, s.mae_persistence) for s in lead]),
                "worst_on_better_naive": max((s.worst for s in lead), default=float("nan")),
                "pinball": _mean([s.pinball for s in lead]),
                "cover80": _mean([s.cover80 for s in lead]),
                "cover95": _mean([s.cover95 for s in lead]),
            }
        )
    return rows


def csv_command(
    file: Path,
    map_: Annotated[str | None, typer.Option("--map")],
    learn: float | None,
    warm: float | None,
    as_json: bool,
    guidance: Path | None = None,
) -> None:
    """Score the forecasts on the series of a file and print it."""
    outside = read_csv(file, _map(map_))
    scores = score_file(outside, learn, warm, read_guidance(guidance) if guidance else ())
    title = f"{file.name}: {len(scores)} series, steps of {outside.step_s // 60} min"
    _say(title, scores, as_json)


def stream_command(
    conn: Connection,
    stream: str,
    end: datetime,
    days: int,
    write: bool,
    as_json: bool,
    guided: bool = True,
) -> None:
    """Score the forecasts on what the database holds of a stream and print it."""
    for group in groups(stream):
        with conn.transaction():
            said = backtest_group(conn, group, end, days, write=write, guidance=guided)
        if said is None:
            typer.echo(f"{group.name}: too little history", err=True)
            continue
        warm = int(said.origins[0]) + min(WARM_DAYS * said.spec.day, len(said.origins) // 2)
        score = SeriesScore(group.name, said.spec.log, said.table(warm))
        _say(f"{group.name}: {said.truth.shape[0]} series", [score], as_json)


def _say(title: str, scores: list[SeriesScore], as_json: bool) -> None:
    if as_json:
        said = {
            "what": title,
            "all": total(scores),
            "series": {s.name: [r.as_dict() for r in s.rows] for s in scores},
        }
        typer.echo(json.dumps(_plain(said), indent=2))
        return
    typer.echo(title)
    typer.echo(
        "  lead   cases  MAE         persistence seasonal    gain   MASE  pinball  in 80 %  in 95 %"
    )
    for score in scores:
        typer.echo(f"{score.name}{' (logarithm)' if score.log else ''}")
        for row in score.rows:
            typer.echo(_line(row))
    typer.echo("all series (gain: geometric mean; worst: MAE of a series / its better naive)")
    for row in total(scores):
        typer.echo(
            f"  {row['lead_h']:5.2f}h {row['n']:6.0f}  MASE {row['mase']:.3f} (persistence"
            f" {row['mase_persistence']:.3f}, seasonal {row['mase_seasonal']:.3f})"
            f"  gain {row['gain_on_seasonal']:+.1%}  worst {row['worst_on_better_naive']:.2f}"
            f"  pinball {row['pinball']:.4f}  in 80 %: {row['cover80']:.1%}"
            f"  in 95 %: {row['cover95']:.1%}"
        )


def _line(row: LeadScore) -> str:
    return (
        f"  {row.lead_s / 3600:5.2f}h {row.n:5d}  {row.mae:<11.5g} {row.mae_persistence:<11.5g}"
        f" {row.mae_seasonal:<11.5g} {row.gain:+6.1%} {row.mase:6.3f} {row.pinball:8.4f}"
        f"  {row.cover80:6.1%}  {row.cover95:6.1%}"
    )


def _map(name: str | None) -> Path | None:
    if name is None:
        return None
    given, shipped = Path(name), MAPS / f"{name}.toml"
    if not given.is_file() and not shipped.is_file():
        known = ", ".join(sorted(p.stem for p in MAPS.glob("*.toml")))
        raise typer.BadParameter(f"no map {name!r}: a TOML file, or one of {known}")
    return given if given.is_file() else shipped


def _mean(values: list[float]) -> float:
    known = [v for v in values if np.isfinite(v)]
    return float(np.mean(known)) if known else float("nan")


def _ratio(pairs: list[tuple[float, float]]) -> float:
    logs = [np.log(a / b) for a, b in pairs if a > 0 and b > 0]
    return float(np.exp(np.mean(logs))) if logs else float("nan")


def _plain(said: object) -> object:
    """Return the same with null where a number is none: JSON has no NaN."""
    if isinstance(said, dict):
        return {key: _plain(value) for key, value in said.items()}
    if isinstance(said, list):
        return [_plain(value) for value in said]
    return None if isinstance(said, float) and not np.isfinite(said) else said
