"""One round of a group in one transaction: train what is due, score what came, issue what comes.

A round that is killed leaves nothing; one that is run again finds its forecasts and does nothing.
"""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta

import numpy as np
from psycopg import Connection

from forecasts.core.backtest import worse
from forecasts.core.features import Known, prepare
from forecasts.core.issue import Errors, Issue, issue, known_errors
from forecasts.core.levels import Shift, believed, rebased, shifts
from forecasts.core.members import members
from forecasts.core.spec import Spec
from forecasts.core.train import Model, train
from forecasts.early import warn
from forecasts.groups import Group
from forecasts.history import HOUR, History, read
from forecasts.scoring import scored
from forecasts.store import (
    Kept,
    load_memory,
    load_model,
    newest_issue,
    save_issues,
    save_model,
    save_newest,
    save_scores,
    save_status,
    series_ids,
)

DELAY = timedelta(seconds=120)
"""How long after an hour its rollups are waited for."""
RETRAIN = timedelta(hours=24)
REST = timedelta(hours=6)
STALE_HOURS = 3
NEW_HOURS, RESCORED_HOURS = 2, 72
"""Hours that are scored each round, and again once a day: late readings correct the truth."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a round did."""

    group: str
    issued_at: datetime
    issued: int = 0
    scored: int = 0
    trained: int = 0
    stale: int = 0


def issue_time(now: datetime) -> datetime:
    """Return the end of the newest hour that may be whole by now."""
    return (now - DELAY).replace(minute=0, second=0, microsecond=0)


def is_due(conn: Connection, group: Group, end: datetime) -> bool:
    """Tell whether the group has not been issued at ``end`` yet."""
    newest = newest_issue(conn, group)
    return newest is None or newest < end


def run_group(conn: Connection, group: Group, end: datetime) -> Done:
    """Do the round of a group at ``end``, a whole hour; the caller owns the transaction."""
    spec = group.spec
    history = read(conn, group, end, days=spec.train_days + 8)
    if not history.subjects:
        return Done(group.name, end)
    ids = series_ids(conn, group, history.subjects)
    memory = load_memory(conn, ids, history, spec, end)
    origin = history.panel.steps - 1
    errors = known_errors(memory, history.panel.values, origin, spec)
    moved = shifts(history.panel.values, spec)
    known = _known(history, moved, origin, spec)
    kept, trained = _model(conn, group, history, known, errors, moved)
    made = members(known, np.array([origin]), kept.model)[:, 0]
    said = issue(made, errors, origin, history.panel, spec)
    alive = np.asarray(np.isfinite(history.panel.values[:, -STALE_HOURS:]).any(axis=1))
    save_status(conn, ids, _states(alive, said))
    rows = np.flatnonzero(alive & np.isfinite(said.quantiles[..., 2]).all(axis=1))
    issued = save_issues(
        conn, [(ids[n], end, said.quantiles[n], said.members[n]) for n in rows], spec
    )
    save_newest(conn, [(ids[n], end, said.quantiles[n], said.weights[n]) for n in rows], spec)
    if issued and group.level == "sensor":
        warn(conn, group, end, ids, history, said.quantiles)
    again = RESCORED_HOURS if trained == len(ids) else NEW_HOURS
    scores = scored(memory, history, ids, spec, since=origin - again)
    save_scores(conn, scores, "live")
    return Done(group.name, end, issued, len(scores), trained, int((~alive).sum()))


def score_group(conn: Connection, group: Group, end: datetime) -> int:
    """Score anew all of the last three days; return how many forecasts were looked at."""
    spec = group.spec
    history = read(conn, group, end, days=spec.train_days)
    if not history.subjects:
        return 0
    ids = series_ids(conn, group, history.subjects)
    memory = load_memory(conn, ids, history, spec, end)
    rows = scored(memory, history, ids, spec, since=history.panel.steps - RESCORED_HOURS)
    save_scores(conn, rows, "live")
    return len(rows)


def train_group(conn: Connection, group: Group, end: datetime) -> int:
    """Make the models of a group anew; return of how many series."""
    spec = group.spec
    history = read(conn, group, end, days=spec.train_days + 8)
    if not history.subjects:
        return 0
    moved = shifts(history.panel.values, spec)
    known = _known(history, moved, history.panel.steps - 1, spec)
    model = train(known, history.panel.steps)
    save_model(conn, group, Kept(history.subjects, (end,) * len(history.subjects), model))
    return len(history.subjects)


def _states(alive: np.ndarray, said: Issue) -> list[str]:
    banded = np.asarray(np.isfinite(said.quantiles).all(axis=(1, 2)))
    return np.where(alive, np.where(banded, "ready", "learning"), "stale").tolist()


def _known(history: History, moved: list[Shift], origin: int, spec: Spec) -> Known:
    now = believed(moved, origin)
    panel = history.panel
    values = rebased(panel.values, now) if now else panel.values
    return prepare(panel.part(np.arange(panel.series), values), spec)


def _model(
    conn: Connection,
    group: Group,
    history: History,
    known: Known,
    errors: Errors,
    moved: list[Shift],
) -> tuple[Kept, int]:
    """Return the group's model, made anew for the series whose time has come, and their number."""
    end = history.begin + history.panel.steps * HOUR
    kept = load_model(conn, group)
    whole = kept is None or kept.subjects != history.subjects
    if kept is None or whole or end - min(kept.trained) >= RETRAIN:
        fresh = train(known, history.panel.steps)
        kept = Kept(history.subjects, (end,) * len(history.subjects), fresh)
        save_model(conn, group, kept)
        return kept, len(history.subjects)
    due = _due(kept, history, errors, moved, known.spec)
    if not due.any():
        return kept, 0
    rows = np.flatnonzero(due)
    part = prepare(known.panel.part(rows, known.panel.values[rows]), known.spec)
    model = _merged(kept.model, train(part, history.panel.steps), rows)
    times = tuple(end if due[n] else at for n, at in enumerate(kept.trained))
    kept = Kept(history.subjects, times, model)
    save_model(conn, group, kept)
    return kept, len(rows)


def _due(
    kept: Kept, history: History, errors: Errors, moved: list[Shift], spec: Spec
) -> np.ndarray:
    """Tell which series have moved to another level since, or are far off for a day."""
    now = history.panel.steps - 1
    trained = np.array([history.step(at) - 1 for at in kept.trained])
    due = worse(errors, now, spec) & ((now - trained) * HOUR >= REST)
    for shift in moved:
        before = trained[shift.series]
        due[shift.series] |= before < shift.seen <= now or before < shift.gone <= now
    return due


def _merged(model: Model, part: Model, rows: np.ndarray) -> Model:
    arrays = {}
    for field in fields(Model):
        if field.name != "trained":
            arrays[field.name] = getattr(model, field.name).copy()
            arrays[field.name][rows] = getattr(part, field.name)
    return Model(trained=part.trained, **arrays)
