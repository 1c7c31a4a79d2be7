"""What a person finds of an alert that rests on a doubtful value: it is true, or it is wrong.

Either is a transition like the rule's own, so that lists, messages, incidents and escalation follow
it. What a person has withdrawn comes again when readings say otherwise: see ``episode/again.py``.
"""

from datetime import datetime
from typing import Literal

from psycopg import Connection

from alerts.delivery.outbox import lock_writers
from alerts.episode.again import PERSON
from alerts.episode.decision import decided
from alerts.episode.episodes import apply
from alerts.episode.models import Alert
from alerts.episode.queries import get_alert
from alerts.routing.notify import Notifier
from alerts.settings import AlertSettings
from alerts.sources.dispatch import settle
from catalog.errors import ConflictError, InvalidError
from catalog.model import ThresholdRule
from catalog.registry import find_rule

Verdict = Literal["confirmed", "withdrawn"]
ACTS: dict[Verdict, str] = {"confirmed": "confirm", "withdrawn": "withdraw"}


def can_be_judged(alert: Alert) -> bool:
    """Tell whether a person may confirm or withdraw it: it is open, in doubt, and upon a limit."""
    doubted = alert.cleared_at is None and alert.confidence == "unconfirmed"
    return doubted and isinstance(find_rule(alert.rule), ThresholdRule)


def judge_alert(
    conn: Connection,
    episode: str,
    verdict: Verdict,
    who: str,
    note: str,
    notifier: Notifier,
    settings: AlertSettings,
    now: datetime,
) -> None:
    """Confirm or withdraw an unconfirmed alert, with a note; whoever knows of it is told.

    ``ConflictError`` for one that is over or not in doubt.
    """
    if not note.strip():
        raise InvalidError("say what the alert is confirmed or withdrawn by", "note")
    with conn.transaction():
        lock_writers(conn)
        alert = get_alert(conn, episode).alert
        if not can_be_judged(alert):
            stands = "over" if alert.cleared_at is not None else "not in doubt"
            raise ConflictError(f"alert {episode} is {stands}")
        wrong = verdict == "withdrawn"
        more = {"confidence": "unconfirmed", "reason": PERSON} if wrong else {}
        change = apply(conn, decided(alert, verdict, verdict, now, **more))
        conn.execute(
            "INSERT INTO episode_acts (episode, who, act, note) VALUES (%s, %s, %s, %s)",
            [episode, who, ACTS[verdict], note],
        )
        settle(conn, [change] if change else [], notifier, settings, now)
