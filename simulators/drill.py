"""Run a scenario against the live city: say what will happen, start it, watch it, call it off."""

import re
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from catalog.errors import ConflictError
from catalog.model import Severity
from catalog.severity import LEVELS
from catalog.site import zone
from service.clock import Clock
from service.postgres import connect
from service.settings import Settings
from simulators.control import Control, LiveState
from simulators.core.city import City
from simulators.core.events import Event
from simulators.core.scenarios import Scenario, scenarios
from simulators.forecast import Alarm, forecast

LIVE_WITHIN_S = 10.0
TAKEN_UP_WITHIN_S = 15.0
POLL_S = 1.0
LEAD_S = 5.0
"""A scenario for "now" begins so much later, so that the live city knows of it in time."""
DURATION = re.compile(r"^(\d+(?:\.\d+)?)(s|m|h)?$")
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


class NotLiveError(ConflictError):
    """No live city that could play the scenario."""


def parse_duration(given: str) -> float:
    """Return seconds of ``90``, ``90s``, ``10m`` or ``2h``; ValueError otherwise."""
    found = DURATION.match(given.strip())
    if not found or not float(found[1]):
        raise ValueError(f"{given!r} is no duration; write 90s, 10m or 2h")
    return float(found[1]) * UNITS[found[2] or "s"]


def parse_at(given: str, now_s: float) -> float:
    """Return epoch seconds of ``now``, ``+5m`` or an ISO time (Beijing unless it says else)."""
    if given == "now":
        return now_s
    if given.startswith("+"):
        return now_s + parse_duration(given[1:])
    try:
        at = datetime.fromisoformat(given)
    except ValueError:
        raise ValueError(f"{given!r} is no time; write now, +5m or 2026-07-01T18:00") from None
    return (at if at.tzinfo else at.replace(tzinfo=zone())).timestamp()


class LiveCityLink:
    """What a command knows of the live city."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.control = Control(folder)
        self._folder, self._clock = folder, clock

    def state(self) -> LiveState:
        """Return what the live city last said; ``NotLive`` when it has been silent."""
        state = self.control.live()
        if state is None or self._age_s(state) > LIVE_WITHIN_S:
            raise NotLiveError(
                f"no live city runs with the state folder {self._folder.absolute()}: start it with"
                " `make run` or `python -m simulators live`, or set CITYOPS_STATE_DIR"
            )
        return state

    def city_now(self, lead_s: float = 0.0) -> float:
        """Return the city's time, epoch seconds, ``lead_s`` of the clock from now."""
        state, clock_s = self.state(), self._clock.now().timestamp() + lead_s
        ahead = state.city_s + (self._age_s(state) + lead_s) * state.speed
        return min(ahead, clock_s)

    def _age_s(self, state: LiveState) -> float:
        return (self._clock.now() - state.written_at).total_seconds()


def make_event(
    name: str, start: float, duration_s: float | None, intensity: float, where: str
) -> Event:
    """Return a run of a scenario; ValueError for a place the scenario cannot strike."""
    scenario = scenarios()[name]
    where = where or scenario.where
    if scenario.where and where not in _places(scenario):
        raise ValueError(
            f"{where!r} is no place for {name}; try one like {', '.join(_places(scenario)[:4])}"
        )
    return Event(
        id=f"{name}-{uuid.uuid4().hex[:8]}",
        name=name,
        start=start,
        duration_s=duration_s or scenario.duration_s,
        intensity=intensity,
        where=where if scenario.where else "",
    )


def expected(seed: int, others: list[Event], event: Event) -> list[Alarm]:
    """Return the alarms this event will raise in the city with this seed and these others."""
    city = City(seed, [*others, event])
    return forecast(city, event.start, event.end + event.scenario.watch_s)


def timeline(event: Event, alarms: list[Alarm]) -> Table:
    """Return what will happen and when, in both languages."""
    scenario = event.scenario
    title = f"{scenario.title.zh} / {scenario.title.en}: {_size(scenario, event)}"
    table = Table(title=title, title_justify="left", header_style="bold")
    for heading in ("时间\ntime", "事件\nwhat", "等级\nlevel", "测点\nsensors", "解除\nclears"):
        # all the room of a narrow terminal is for what happens
        table.add_column(heading, overflow="fold", no_wrap=not heading.startswith("事件"))
    lines = [
        (event.start + p.share * event.duration_s, (f"{p.story.zh}\n{p.story.en}", "", "", ""))
        for p in scenario.phases
    ]
    lines += [_alarm_line(group) for group in _by_rule(alarms).values()]
    for at, cells in sorted(lines, key=lambda line: line[0]):
        table.add_row(f"{_clock(at)}\n{(at - event.start) / 60:+.1f} min", *cells)
    return table


def drive(
    link: LiveCityLink, event: Event, alarms: list[Alarm], watch: Callable[[], str], out: Console
) -> None:
    """Start the event and show its course; Ctrl-C calls it off and the city returns to normal."""
    link.control.add(event)
    try:
        _wait_taken_up(link, event)
        cleared = [a.cleared for a in alarms if a.cleared is not None]
        _follow(link, event, max([event.end, *cleared]), watch, out)
    except KeyboardInterrupt:
        now = link.city_now()
        if now < event.end:
            link.control.cancel(event.id, now)
            out.print(
                "[yellow]已取消，城市恢复正常 / called off, the city returns to normal[/yellow]"
            )
        else:
            out.print("停止观察 / watching ends; alerts still open clear by themselves")


class Watch:
    """Counts the platform's own open alerts of the announced rules, where its database is known."""

    def __init__(self, settings: Settings, alarms: list[Alarm], start: float) -> None:
        self._settings = settings
        self._rules = sorted({a.rule for a in alarms})
        self._start = datetime.fromtimestamp(start - 60, UTC)

    def __call__(self) -> str:
        """Return a short text: open and cleared episodes since the start."""
        try:
            with connect(self._settings.database(), "simulators", autocommit=True) as conn:
                row = conn.execute(
                    "SELECT count(*) FILTER (WHERE cleared_at IS NULL), count(cleared_at)"
                    " FROM episodes WHERE rule = ANY(%s) AND raised_at >= %s",
                    [self._rules, self._start],
                ).fetchone()
        except psycopg.Error:
            return "平台告警未知 / alerts unknown (set CITYOPS_DSN, see make env)"
        return f"平台告警 open {row[0]} · cleared {row[1]}" if row else ""


def _follow(
    link: LiveCityLink, event: Event, until: float, watch: Callable[[], str], out: Console
) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=out) as progress:
        task = progress.add_task(event.name, total=until - event.start)
        while (now := link.city_now()) < until:
            done = max(0.0, now - event.start)
            text = f"{_story(event, now)} · {watch()}"
            progress.update(task, completed=done, description=text)
            time.sleep(POLL_S)
        progress.update(task, completed=until - event.start, description=f"完成 done · {watch()}")


def _wait_taken_up(link: LiveCityLink, event: Event) -> None:
    end = time.monotonic() + TAKEN_UP_WITHIN_S
    while event.id not in link.state().events:
        if time.monotonic() > end:
            raise NotLiveError("the live city has not taken up the scenario; look at its log")
        time.sleep(POLL_S / 4)


def _story(event: Event, now: float) -> str:
    if now < event.start:
        return "等待开始 / waiting"
    past = [p for p in event.scenario.phases if now >= event.start + p.share * event.duration_s]
    return f"{past[-1].story.zh} / {past[-1].story.en}"


def _alarm_line(group: list[Alarm]) -> tuple[float, tuple[str, str, str, str]]:
    first = group[0]
    worst = Severity(min(a.severity for a in group))
    cleared = [a.cleared for a in group if a.cleared is not None]
    clears = _clock(max(cleared)) if len(cleared) == len(group) else "更晚 later"
    level = LEVELS[worst]
    name = f"⚠ {first.title.zh} {first.title.en}\n[dim]{first.rule}[/dim]"
    marked = f"{level.icon} {level.title.zh}\n{level.title.en}"
    return first.raised, (name, marked, str(len(group)), clears)


def _by_rule(alarms: list[Alarm]) -> dict[str, list[Alarm]]:
    groups: dict[str, list[Alarm]] = {}
    for alarm in alarms:
        groups.setdefault(alarm.rule, []).append(alarm)
    return groups


def _places(scenario: Scenario) -> tuple[str, ...]:
    return City(0).fleet(scenario.strikes).ids


def _size(scenario: Scenario, event: Event) -> str:
    place = f" @ {event.where}" if event.where else ""
    size = "" if scenario.unit == "1" else f"{event.size:g} {scenario.unit}, "
    pace = f", 慢过程加速 slow physics x{event.lapse:.0f}" if event.lapse > 1 else ""
    return f"{size}{event.duration_s / 60:g} min{place}{pace}"


def _clock(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, zone()).strftime("%H:%M:%S")
