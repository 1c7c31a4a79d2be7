"""Backtest of a stream on what the database holds; written, it is the record of a fresh install."""

from dataclasses import replace
from datetime import datetime

import numpy as np
from psycopg import Connection

from forecasts.core.backtest import Backtest, backtest
from forecasts.core.issue import Memory
from forecasts.core.warnings import replay
from forecasts.early import limits_of, save_replayed
from forecasts.groups import Group
from forecasts.history import HOUR, read
from forecasts.scoring import scored
from forecasts.store import save_issues, save_scores, series_ids

LEARN_DAYS = 15


def backtest_group(
    conn: Connection,
    group: Group,
    end: datetime,
    days: int,
    *,
    write: bool,
    guidance: bool = True,
) -> Backtest | None:
    """Forecast the last ``days`` of a group as they would have been; None without history.

    The database knows late corrections that a live run did not have: live scores are a little
    worse. ``write`` stores forecasts and scores as ``backtest``; live ones stay as they are.
    Without ``guidance`` the forecasts of others are left out, to see what they are worth.
    """
    spec = group.spec
    history = read(conn, group, end, days=days + spec.train_days + 8)
    there = np.flatnonzero(np.isfinite(history.panel.values).any(axis=0))
    if not history.subjects or not len(there):
        return None
    first = max(history.panel.steps - days * spec.day, int(there[0]) + LEARN_DAYS * spec.day)
    if first >= history.panel.steps:
        return None
    panel = history.panel if guidance else replace(history.panel, ahead=None)
    said = backtest(panel, spec, first)
    if write:
        ids = series_ids(conn, group, history.subjects)
        since = history.panel.steps - 1 - (spec.window_days * spec.day + spec.leads[-1])
        kept = np.flatnonzero((said.origins >= since) & (said.origins < history.panel.steps - 1))
        rows = [
            (
                ids[n],
                history.begin + (int(said.origins[o]) + 1) * HOUR,
                said.quantiles[n, o],
                said.members[n, o],
            )
            for o in kept
            for n in range(len(ids))
            if np.isfinite(said.quantiles[n, o, :, 2]).all()
        ]
        save_issues(conn, rows, spec)
        memory = Memory(said.origins, said.members, said.quantiles)
        save_scores(conn, scored(memory, history, ids, spec, since=first), "backtest")
        if group.level == "sensor":
            limits = limits_of(group, history.subjects, end.date())
            save_replayed(conn, ids, replay(said, history.panel.values, limits), history.begin)
    return said
