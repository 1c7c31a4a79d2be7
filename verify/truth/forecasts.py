"""The forecasts on the labelled files: per lead against both naive forecasts, and their warnings.

Each file that a truth map reads as a stream is forecast by the method that runs in the city, at
every hour, knowing only what was known then (`forecasts.core.backtest`). A *warning* looks at a
limit that the file itself gives: what a tenth of the hours before the first forecast lay above.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from forecasts.backtest_command import Said, backtests, total
from forecasts.core.warnings import Limit, Warned, replay
from forecasts.early import Record
from forecasts.outside import read_csv
from verify.truth.maps import REPLAY_MAPS, load
from verify.truth.series import files_of

ABOVE = 0.9
"""Share of the hours before the first forecast that lie below the limit of a warning."""
HOUR_S = 3600
WORST, COVER80, COVER95 = 1.02, (0.77, 0.83), (0.93, 0.97)
"""The bars: a series against its better naive forecast, and how often bands hold."""
Row = dict[str, Any]


def score_forecasts(
    path: Path, data: Path, say: Callable[[str], None]
) -> tuple[list[Row], list[Row]]:
    """Return one row a file and lead, and one row a file of what its warnings came to.

    A map of plain columns has none: what is not forecast in the city is not judged here.
    """
    declared = load(path)
    if declared.read is None:
        return [], []
    beside, shipped = path.parent / declared.read, REPLAY_MAPS / f"{declared.read}.toml"
    rows, warnings = list[Row](), list[Row]()
    for file in files_of(declared, path, data):
        say(f"forecasts of {file.name}")
        outside = read_csv(file, beside if beside.is_file() else shipped)
        made = list(backtests(outside))
        if not made:
            continue
        name = f"{declared.title}: {file.stem}"
        rows += _leads(name, made)
        if outside.step_s == HOUR_S:
            warnings.append(_warnings(name, made))
    return rows, warnings


def _leads(name: str, made: list[Said]) -> Iterator[Row]:
    for row in total([said.score for said in made]):
        yield {
            "data": name,
            "lead h": f"{row['lead_h']:g}",
            "series": len(made),
            "cases": int(row["n"]),
            "MAE / last value": 1 - row["gain_on_persistence"],
            "MAE / day before": 1 - row["gain_on_seasonal"],
            "worst / better naive": row["worst_on_better_naive"],
            "pinball": row["pinball"],
            "in 80 %": row["cover80"],
            "in 95 %": row["cover95"],
        }


def _warnings(name: str, made: list[Said]) -> Row:
    found = [warned for said in made for warned in _of_series(said)]
    count = {
        outcome: sum(w.outcome == outcome for w in found)
        for outcome in ("hit", "false", "withdrawn", "miss")
    }
    hits, not_come = count["hit"], count["false"] + count["withdrawn"]
    ended = [w for w in found if w.chance is not None and w.outcome != "void"]
    brier = float(np.mean([((w.chance or 0) - (w.outcome == "hit")) ** 2 for w in ended] or [0.0]))
    record = Record(hits, not_come, brier)
    leads = [(w.crossed - w.raised) + 1 for w in found if w.outcome == "hit" and w.crossed]
    return {
        "data": name,
        "came true": hits,
        "false": count["false"],
        "withdrawn": count["withdrawn"],
        "missed": count["miss"],
        "hit rate": hits / (hits + count["miss"]) if hits + count["miss"] else None,
        "false alarms": not_come / (hits + not_come) if hits + not_come else None,
        "lead h": float(np.median(leads)) if leads else None,
        "Brier": brier if ended else None,
        "state": "on trial" if record.on_trial else "told",
    }


def _of_series(said: Said) -> list[Warned]:
    """Return the warnings of the origins that count."""
    values = said.panel.values
    limit = float(np.nanquantile(values[0, : said.plan.first], ABOVE))
    found = replay(said.said, values, [Limit(said.score.name, 3, True, np.array([limit]))])
    return [warned for warned in found if warned.raised > said.plan.scored]


def bad(rows: list[Row]) -> Iterator[str]:
    """Yield in words what misses a bar."""
    for row in rows:
        where = f"forecasts, {row['data']}, {row['lead h']} h ahead"
        if row["worst / better naive"] > WORST:
            yield (
                f"{where}: a series is off {row['worst / better naive']:.2f} times as far as its"
                " better naive forecast"
            )
        for name, (low, high) in (("in 80 %", COVER80), ("in 95 %", COVER95)):
            if not low <= row[name] <= high:
                yield f"{where}: {row[name]:.1%} of what came lies {name}"
