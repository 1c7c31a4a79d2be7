"""Forecasts, models and scores in tables. Whoever calls owns the transaction."""

import io
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

import numpy as np
from psycopg import Connection

from catalog.base import Floats
from forecasts.core.features import width
from forecasts.core.issue import Memory
from forecasts.core.spec import MEMBERS, QUANTILES, Spec
from forecasts.core.train import Model
from forecasts.groups import Group
from forecasts.history import HOUR, History

WIDTH = len(QUANTILES) + len(MEMBERS)


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored model: its subjects in order, and when each was trained (end of the data)."""

    subjects: tuple[str, ...]
    trained: tuple[datetime, ...]
    model: Model


@dataclass(frozen=True, slots=True)
class Scored:
    """One forecast beside what came, in the metric's unit."""

    series: int
    valid_at: datetime
    lead_s: int
    truth: float
    median: float
    base_last: float | None
    base_day: float | None
    inside80: bool | None
    inside95: bool | None
    width80: float | None


def series_ids(conn: Connection, group: Group, subjects: tuple[str, ...]) -> list[int]:
    """Return the number of each series of a group; new ones get one."""
    key = [group.stream.name, group.forecast.of, group.level]
    conn.execute(
        "INSERT INTO forecast_series (stream, metric, level, subject)"
        " SELECT %s, %s, %s, unnest(%s::text[]) ON CONFLICT DO NOTHING",
        [*key, list(subjects)],
    )
    rows = conn.execute(
        "SELECT subject, id FROM forecast_series WHERE stream = %s AND metric = %s AND level = %s",
        key,
    ).fetchall()
    by_subject: dict[str, int] = dict(rows)
    return [by_subject[subject] for subject in subjects]


def newest_issue(conn: Connection, group: Group) -> datetime | None:
    """Return when the group was last issued."""
    row = conn.execute(
        "SELECT max(n.issued_at) FROM forecast_newest n JOIN forecast_series s ON s.id = n.series"
        " WHERE s.stream = %s AND s.metric = %s AND s.level = %s",
        [group.stream.name, group.forecast.of, group.level],
    ).fetchone()
    return row[0] if row else None


def load_memory(
    conn: Connection, ids: list[int], history: History, spec: Spec, end: datetime
) -> Memory:
    """Return what was said of these series before ``end``, as far back as errors count."""
    reach = timedelta(days=spec.window_days) + spec.leads[-1] * HOUR
    rows = conn.execute(
        "SELECT series, issued_at, body FROM forecasts"
        " WHERE series = ANY(%s) AND issued_at >= %s AND issued_at < %s",
        [ids, end - reach, end],
    ).fetchall()
    times = sorted({at for _, at, _ in rows})
    leads = len(spec.leads)
    body = np.full((len(ids), len(times), leads, WIDTH), np.nan)
    row_of, place = ({key: n for n, key in enumerate(keys)} for keys in (ids, times))
    for series, at, raw in rows:
        values = np.frombuffer(raw, dtype="<f4")
        if len(values) == leads * WIDTH:  # issued with other leads: of no use any more
            body[row_of[series], place[at]] = values.reshape(leads, WIDTH)
    # what was issued at an hour's start knew the hour before
    origins = np.array([history.step(at) - 1 for at in times], dtype=np.int64)
    return Memory(origins, body[..., len(QUANTILES) :], body[..., : len(QUANTILES)])


def save_issues(
    conn: Connection,
    rows: list[tuple[int, datetime, Floats, Floats]],
    spec: Spec,
) -> int:
    """Store (series, issued_at, quantiles, members); what is there already stays as it is."""
    leads_s = [lead * spec.step_s for lead in spec.leads]
    packed = [
        (
            series,
            at,
            leads_s,
            said.astype("<f4").ravel().tolist(),
            np.concatenate([said, made], axis=1).astype("<f4").tobytes(),
        )
        for series, at, said, made in rows
    ]
    with conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO forecasts (series, issued_at, leads_s, q, body)"
            " VALUES (%s, %s, %s, %s::real[], %s) ON CONFLICT DO NOTHING",
            packed,
        )
        return cursor.rowcount


def save_newest(
    conn: Connection, rows: list[tuple[int, datetime, Floats, Floats]], spec: Spec
) -> None:
    """Make (series, issued_at, quantiles, weights) what the screens show, unless it is older."""
    leads_s = [lead * spec.step_s for lead in spec.leads]
    with conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO forecast_newest (series, issued_at, leads_s, q, weights)"
            " VALUES (%s, %s, %s, %s::real[], %s::real[]) ON CONFLICT (series) DO UPDATE SET"
            " issued_at = excluded.issued_at, made_at = clock_timestamp(),"
            " leads_s = excluded.leads_s, q = excluded.q, weights = excluded.weights"
            " WHERE forecast_newest.issued_at < excluded.issued_at",
            [
                (series, at, leads_s, said.ravel().tolist(), weigh.ravel().tolist())
                for series, at, said, weigh in rows
            ],
        )


def save_status(conn: Connection, ids: list[int], states: list[str]) -> None:
    """Say of each series whether it is ready, learning or stale."""
    conn.execute(
        "UPDATE forecast_series f SET status = n.status, since = clock_timestamp()"
        " FROM unnest(%s::int[], %s::text[]) n (id, status)"
        " WHERE f.id = n.id AND f.status <> n.status",
        [ids, states],
    )


def save_scores(conn: Connection, rows: list[Scored], origin: str) -> None:
    """Store scores; one whose truth was corrected since is replaced, a live one by no backtest."""
    names = [field.name for field in fields(Scored)]
    with conn.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO forecast_scores ({', '.join(names)}, origin)"  # names of our own class
            f" VALUES ({', '.join(['%s'] * len(names))}, %s)"
            " ON CONFLICT (series, lead_s, valid_at) DO UPDATE SET truth = excluded.truth,"
            " median = excluded.median, base_last = excluded.base_last,"
            " base_day = excluded.base_day, inside80 = excluded.inside80,"
            " inside95 = excluded.inside95, scored_at = clock_timestamp()"
            " WHERE forecast_scores.truth <> excluded.truth"
            " AND forecast_scores.origin = excluded.origin".encode(),
            [(*(getattr(row, name) for name in names), origin) for row in rows],
        )


def load_model(conn: Connection, group: Group) -> Kept | None:
    """Return the group's model; None when there is none, or one of other leads or features."""
    row = conn.execute(
        "SELECT subjects, body FROM forecast_models"
        " WHERE stream = %s AND metric = %s AND level = %s",
        [group.stream.name, group.forecast.of, group.level],
    ).fetchone()
    if row is None:
        return None
    with np.load(io.BytesIO(row[1]), allow_pickle=False) as arrays:
        parts = {name: arrays[name] for name in arrays.files}
    trained = tuple(datetime.fromisoformat(str(at)) for at in parts.pop("trained_until"))
    forecast, leads = group.forecast, len(group.spec.leads)
    features = width(group.spec, len(forecast.with_), len(forecast.ahead))
    if parts["weights"].shape[1:] != (leads, features):
        return None
    return Kept(tuple(row[0]), trained, Model(trained=0, **parts))


def save_model(conn: Connection, group: Group, kept: Kept) -> None:
    """Store the group's model in place of the one before."""
    out = io.BytesIO()
    parts = {f.name: getattr(kept.model, f.name) for f in fields(Model) if f.name != "trained"}
    np.savez(out, trained_until=np.array([at.isoformat() for at in kept.trained]), **parts)
    conn.execute(
        "INSERT INTO forecast_models (stream, metric, level, trained_until, subjects, body)"
        " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (stream, metric, level) DO UPDATE SET"
        " trained_until = excluded.trained_until, made_at = clock_timestamp(),"
        " subjects = excluded.subjects, body = excluded.body",
        [
            *(group.stream.name, group.forecast.of, group.level),
            *(min(kept.trained), list(kept.subjects), out.getvalue()),
        ],
    )
