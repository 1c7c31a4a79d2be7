"""The day's page as HTML: texts, numbers as people write them, and the template filled."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape

from catalog.model import Severity
from catalog.registry import streams
from catalog.severity import LEVELS
from catalog.site import site, zone
from dashboards.report.charts import hours, sparkline
from dashboards.report.day import Day, Row, VitalDay
from dashboards.texts import TEXTS, Lang, pick, say
from storage.views.limits import COMPLETE_PCT

TEMPLATE = "page.html.j2"
ALERTS_SHOWN = 7
WEEKDAYS = {
    "zh": "一二三四五六日",
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
SPARK_MM = (46.0, 5.2)
HOURS_MM = (88.0, 27.0)
NONE = "–"


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody wrote into the report of a day."""

    who: str
    at: datetime
    text: str


def template(name: str) -> Template:
    """Return a page of this folder to be filled; a name that nobody gives is an error."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(default_for_string=True, default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def render(day: Day, notes: Sequence[Note] = ()) -> str:
    """Return the page; it needs no other file and no network. Notes stand on a second one."""
    return template(TEMPLATE).render(
        day=day,
        city=pick(site().title, day.lang),
        date=written_date(day.span.date, day.lang),
        t=lambda key: say(f"r.{key}", day.lang),
        pick=lambda item: pick(item, day.lang),
        verdict=verdict(day),
        vitals=[_vital(one, day.lang) for one in day.vitals],
        chip=lambda severity: _chip(Severity(severity), day.lang),
        hours=hours(day.by_hour, HOURS_MM, say("r.by_hour", day.lang), day.hours),
        until=f"{day.until.astimezone(zone()):%H:%M}",
        warning=LEVELS[Severity.ORANGE],
        alerts=[_alert(row, day.lang) for row in day.alerts[:ALERTS_SHOWN]],
        more=max(0, day.raised - ALERTS_SHOWN),
        streams=[_stream(row, day.lang) for row in day.completeness],
        forecasts=[_forecast(row, day.lang) for row in day.forecasts],
        flags=[(_test(name, day.lang), count) for name, count in day.flags[:6]],
        duration=lambda seconds: duration(seconds, day.lang),
        clock=lambda moment: _clock(moment, day),
        status=lambda status: say(f"i.{status}", day.lang),
        number=number,
        levels=list(LEVELS.values()),
        notes=notes,
        stamp=lambda moment: f"{moment.astimezone(zone()):%m-%d %H:%M}",
    )


def verdict(day: Day) -> str:
    """Return the day in one sentence."""
    parts = [_raised(day)]
    if day.is_empty:
        parts.append(say("r.no_data", day.lang))
    else:
        share = number(day.complete_pct, 1)
        low = sum((row["complete_pct"] or 0) < COMPLETE_PCT for row in day.completeness)
        lacking = say("r.lacking", day.lang).format(low, f"{COMPLETE_PCT:.0f}") if low else ""
        parts.append(say("r.arrived", day.lang).format(share) + lacking)
    between, stop = ("；", "。") if day.lang == "zh" else ("; ", ".")
    return between.join(parts) + stop


def _raised(day: Day) -> str:
    if not day.raised:
        return say("r.none_raised" if day.is_over else "r.none_yet", day.lang)
    peak = pick(LEVELS[day.peak].title, day.lang) if day.peak else NONE
    left = say("r.left" if day.still_open else "r.all_cleared", day.lang).format(day.still_open)
    told = "r.were_raised" if day.is_over else "r.were_raised_yet"
    return say(told, day.lang).format(day.raised, peak.lower()) + left


def written_date(day: date, lang: Lang) -> str:
    """Return a date as people write it."""
    weekday = WEEKDAYS[lang][day.weekday()]
    if lang == "zh":
        return f"{day.year} 年 {day.month} 月 {day.day} 日 星期{weekday}"
    return f"{weekday}, {day.day} {day:%B %Y}"


def number(value: float | None, decimals: int = 0) -> str:
    """Return a number with thin groups of three and a real minus; a dash for none."""
    if value is None:
        return NONE
    return f"{value:,.{decimals}f}".replace(",", "\u202f").replace("-", "\u2212")


def duration(seconds: float | None, lang: Lang) -> str:
    """Return a duration in its two largest units."""
    if seconds is None:
        return NONE
    minutes, hours_ = round(seconds / 60), round(seconds / 3600, 1)
    if seconds < 60:
        return f"{seconds:.0f} {'秒' if lang == 'zh' else 's'}"
    if seconds < 7200:
        return f"{minutes} {'分' if lang == 'zh' else 'min'}"
    return f"{hours_:.1f} {'小时' if lang == 'zh' else 'h'}"


def _clock(moment: datetime, day: Day) -> str:
    """Return the local time of a moment; with its date when it is not of the day."""
    local = moment.astimezone(zone())
    return f"{local:%H:%M}" if local.date() == day.span.date else f"{local:%m-%d}"


def _vital(one: VitalDay, lang: Lang) -> dict[str, Any]:
    shown, places = one.vital, one.vital.decimals
    values = one.values
    change = None if one.mean is None or one.mean_before is None else one.mean - one.mean_before
    return {
        "domain": pick(one.domain.title, lang),
        "title": pick(shown.title, lang),
        "unit": "" if shown.unit == "1" else shown.unit,
        "low": number(min(values, default=None), places),
        "mean": number(one.mean, places),
        "high": number(max(values, default=None), places),
        "change": _change(change, places),
        "spark": sparkline(one.points, one.limits, SPARK_MM),
        "alerts": [(LEVELS[level], count) for level, count in sorted(one.alerts.items())],
    }


def _forecast(row: Row, lang: Lang) -> dict[str, Any]:
    """Return what was forecast of a quantity of the day, and how it compares with what came."""
    unit = "" if row["unit"] == "1" else f" {row['unit']}"
    off = NONE if row["mae"] is None else f"{number(row['mae'], row['decimals'] or 0)}{unit}"
    return {
        "title": f"{pick(streams()[row['stream']].title, lang)} · {row[f'title_{lang}']}",
        "off": off,
        "gains": [number(row[f"gain{hours}_pct"]) for hours in (1, 6, 24)],
        "worse": (row["gain24_pct"] or 0) < 0,
        "inside": number(row["inside80_pct"]),
    }


def _change(change: float | None, places: int) -> str:
    if change is None:
        return NONE
    if round(abs(change), places) == 0:
        return "="
    return f"{'↑' if change > 0 else '↓'} {number(abs(change), places)}"


def _chip(severity: Severity, lang: Lang) -> dict[str, str]:
    level = LEVELS[severity]
    text = f"{level.icon} {level.roman} {pick(level.title, lang)}"
    return {"colour": level.colour, "text": text}


def _alert(row: Row, lang: Lang) -> dict[str, Any]:
    unit = "" if row["unit"] in (None, "1") else f" {row['unit']}"
    value = None if row["value"] is None else f"{number(row['value'], 1)}{unit}"
    limit = None if row["threshold"] is None else f"{number(row['threshold'], 1)}{unit}"
    return {
        **row,
        "title": row[f"title_{lang}"],
        "place": row[f"sensor_{lang}"],
        "value": value or NONE,
        "limit": limit or NONE,
    }


def _stream(row: Row, lang: Lang) -> dict[str, Any]:
    return {**row, "title": row[f"title_{lang}"], "low": (row["complete_pct"] or 0) < COMPLETE_PCT}


def _test(name: str, lang: Lang) -> str:
    key = f"t.{name}"
    return say(key, lang) if key in TEXTS else name
