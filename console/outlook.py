"""What comes within six hours: the worst breach that the forecasts expect, in one line.

*None* when nothing is expected, *learning* while no series has bands yet, and since when nothing
has been issued where the forecasts stand still: silence is never shown as calm.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from nicegui import ui

from catalog.early import AHEAD_H, early_rule
from catalog.registry import early_rules, find_rule
from console.frame import View
from console.history import Row
from console.live import Snapshot
from console.marks import clock_time, level_mark, local_time, number
from console.rows import where_title
from console.texts import Words
from console.widgets.facts import badge

STALE = timedelta(hours=3, minutes=10)
"""As long as a forecast is shown (``dash.forecast``)."""


def outlook_strip(view: View, *, linked: bool = False) -> Callable[[Snapshot], None]:
    """Add the strip; return what shows a snapshot in it."""
    words, title = view.words, view.words("outlook.title", hours=AHEAD_H)
    with ui.element("section").classes("outlook").props(f'aria-label="{title}"'):
        ui.label(title).classes("outlook-title")
        level = ui.html("", sanitize=False, tag="span")
        said = ui.link("", "").classes("outlook-said") if linked else ui.label()
        more = ui.label().classes("count")

    def show(now: Snapshot) -> None:
        worst = now.outlook[0] if now.outlook and now.at else None
        level.set_content(badge(level_mark(words, worst["severity"])) if worst else "")
        said.set_text(outlook_words(words, now))
        if linked:
            said.props(f'href="{rule_address(worst["rule"]) if worst else "/rules"}"')
        parts = [words("outlook.more", count=len(now.outlook) - 1)] if len(now.outlook) > 1 else []
        if now.at and (issued := _issued(now)) and now.at - issued < STALE:
            parts.append(words("outlook.issued", at=clock_time(issued)))
        more.set_text(" · ".join(parts))

    return show


def outlook_words(words: Words, now: Snapshot) -> str:
    """Return the line: the worst expected breach, none, learning, or that nothing is issued."""
    if now.at is None or not now.outlook_state:
        return "–"
    issued, state = _issued(now), now.outlook_state[0]
    if issued is not None and now.at - issued >= STALE:
        return words("outlook.stale", at=local_time(issued))
    if not state["ready"]:
        return words("outlook.learning")
    return breach_words(words, now.outlook[0]) if now.outlook else words("outlook.none")


def breach_words(words: Words, row: Row) -> str:
    """Return where, what, when, how far and how likely."""
    limit = number(words, row["limit_value"], row["unit"], row["decimals"])
    rule = find_rule(row["rule"])
    return words(
        "outlook.breach",
        where=where_title(words, row["stream"], row["sensor"], row),
        what=words.of(rule.title) if rule else row["rule"],
        limit=f"{limit['text']} {limit['unit']}".strip(),
        at=clock_time(row["time"]),
        chance=f"{100 * row['chance']:.0f}",
    )


def rule_address(rule_id: str) -> str:
    """Return the page of a rule; of an early warning that of the rule whose limit it is."""
    early = early_rules().get(rule_id)
    return f"/rules/{early.of if early else rule_id}"


def is_warned(rule_id: str) -> bool:
    """Tell whether a rule has early warnings."""
    return early_rule(rule_id) in early_rules()


def _issued(now: Snapshot) -> datetime | None:
    return now.outlook_state[0]["issued_at"] if now.outlook_state else None
