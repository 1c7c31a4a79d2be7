"""An incident as facts, rows and words: evidence, tasks, timeline, and the similar one before."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from alerts.event.events import rule_title
from alerts.incident.queries import IncidentAct, IncidentPage, Member, Summary, TaskState
from catalog.severity import LEVELS
from catalog.site import site
from console import registry
from console.duty import Contact, Shift
from console.marks import duration, level_mark, local_time, response_mark
from console.rows import incident_place, incident_title, where_link, where_title
from console.texts import Words
from console.widgets.facts import Fact

SYSTEM = "cityops"


def incident_facts(words: Words, page: IncidentPage, now: datetime) -> list[Fact]:
    """Return what is known of an incident at a glance."""
    found = page.incident
    end = found.resolved_at or now
    merged = {"text": found.merged_into, "href": f"/incidents/{found.merged_into}"}
    return [
        (words("incidents.status"), words(f"incidents.status_{found.status}")),
        (words("incidents.level"), response_mark(words, found.severity)),
        (words("alert.district"), incident_place(words, found)),
        (words("incident.peak"), response_mark(words, found.peak_severity)),
        (words("incidents.opened"), local_time(found.opened_at)),
        (words("alert.lasted"), duration(words, (end - found.opened_at).total_seconds())),
        (words("incidents.alerts"), f"{found.firing}/{found.alerts}"),
        (words("incidents.folded"), str(found.folded) if found.folded else ""),
        (words("incident.reopened"), str(found.reopened) if found.reopened else ""),
        (words("alerts.acked"), found.acked_by or ""),
        (words("alerts.assignee"), found.assignee or ""),
        (words("incident.merged"), merged if found.merged_into else ""),
        (words("incident.parent"), incident_link(words, page.parent) if page.parent else ""),
        (words("incidents.below"), _of(found.children_open, found.children)),
    ]


def _of(some: int, every: int) -> str:
    return f"{some}/{every}" if every else ""


def incident_link(words: Words, found: Summary) -> dict[str, str]:
    """Return what an incident is and where, as a link to its page."""
    return {"text": incident_title(words, found), "href": f"/incidents/{found.id}"}


def child_row(words: Words, child: Summary) -> dict[str, Any]:
    """Return one incident below a parent."""
    return {
        "id": child.id,
        "level": response_mark(words, child.severity),
        "title": incident_link(words, child),
        "status": words(f"incidents.status_{child.status}"),
        "alerts": {"text": _of(child.firing, child.alerts), "unit": "", "sort": child.firing},
        "opened": child.opened_at.isoformat(),
        "acked": child.acked_by or "",
    }


def similar_facts(words: Words, past: IncidentPage) -> list[Fact]:
    """Return how the similar incident before went, and who did what within which time."""
    found = past.incident
    lasted = ((found.resolved_at or found.changed_at) - found.opened_at).total_seconds()
    done = sum(task.done_at is not None for task in past.tasks)
    confirmed = found.confirmed_at
    took = (confirmed - found.opened_at).total_seconds() if confirmed else None
    return [
        (words("incidents.what"), incident_link(words, found)),
        (words("incidents.opened"), local_time(found.opened_at)),
        (words("alert.lasted"), duration(words, lasted)),
        (words("incident.peak"), response_mark(words, found.peak_severity)),
        (words("incidents.alerts"), str(found.alerts)),
        (words("incident.to_confirm"), duration(words, took) if took is not None else ""),
        (words("incident.tasks_done"), f"{done}/{len(past.tasks)}" if past.tasks else ""),
    ]


def member_row(words: Words, member: Member, place: registry.Row | None) -> dict[str, Any]:
    """Return one alert of the evidence."""
    role = words(f"incident.role_{member.role}")
    return {
        "id": member.episode,
        "level": level_mark(words, member.severity),
        "title": {
            "text": words.of(rule_title(member.rule, member.severity)),
            "href": f"/alerts/{member.episode}",
            "sub": where_title(words, member.stream, member.sensor, place or {}),
        },
        "sensor": where_link(words, member.stream, member.sensor, place or {}),
        "role": f"{role} {words('incident.folded')}" if member.folded else role,
        "raised": member.raised_at.isoformat(),
        "cleared": member.cleared_at.isoformat() if member.cleared_at else None,
    }


def task_row(words: Words, task: TaskState, now: datetime, *, may: bool) -> dict[str, Any]:
    """Return one task of the plan, with its button for those who may tick it off."""
    done = f"✓ {task.done_by} {local_time(task.done_at)}" if task.done_at else ""
    late = task.done_at is None and task.due_at < now
    button = {"act": "done", "text": words("incident.finish"), "look": "strong" if late else ""}
    return {
        "id": task.name,
        "task": words.of(task.title),
        "owner": owner_title(words, task.owner),
        "due": task.due_at.isoformat(),
        "done": done or (f"⚠ {words('incident.late')}" if late else ""),
        "act": [button] if may and not task.done_at else [],
    }


def owner_title(words: Words, owner: str) -> str:
    """Return who a task is given to; the name itself where the site does not know it any more."""
    title = site().owners.get(owner)
    return words.of(title) if title else owner


def ring_facts(
    words: Words, owners: Sequence[str], shifts: Sequence[Shift], numbers: Sequence[Contact]
) -> list[Fact]:
    """Return whom to ring for each owner of the plan: who is on duty, then the phone book."""
    found: list[Fact] = []
    for owner in dict.fromkeys(owners):
        on = [
            _number(words("duty.on_call", name=s.person), s.phone)
            for s in shifts
            if s.owner == owner
        ]
        others = [_number(c.person, c.phone) for c in numbers if c.owner == owner]
        found.append((owner_title(words, owner), [*on, *others] or words("duty.nobody")))
    return found


def _number(name: str, phone: str) -> dict[str, Any] | str:
    link = phone_link(phone)
    return link | {"text": f"{name} {phone}"} if link else name


def phone_link(phone: str) -> dict[str, str] | None:
    """Return a number as a link that a phone dials; None without one."""
    dialled = "".join(c for c in phone if c.isdigit() or c == "+")
    return {"text": phone, "href": f"tel:{dialled}"} if dialled else None


def act_row(words: Words, act: IncidentAct, page: IncidentPage) -> dict[str, Any]:
    """Return one line of the timeline in words."""
    return {
        "id": str(act.id),
        "at": act.at.isoformat(),
        "who": words("incident.engine") if act.who == SYSTEM else act.who,
        "act": words(f"incident.act_{act.act}"),
        "note": _note(words, act, page),
    }


def _note(words: Words, act: IncidentAct, page: IncidentPage) -> str:
    """Return what an act's note means: an alert, a level and a task are kept by name."""
    if act.act == "changed" and act.note.isdecimal() and int(act.note) in LEVELS:
        return response_mark(words, int(act.note))["text"]
    if act.act == "task":
        name, _, note = act.note.partition(" ")
        titles = {t.name: words.of(t.title) for t in page.incident.declared.tasks}
        return f"{titles.get(name, name)} {note}".strip()
    related = [i for i in (page.parent, *page.children) if i and i.id == act.note]
    if related:
        return incident_title(words, related[0])
    cause = _member(page.evidence, act.note)
    return words.of(rule_title(cause.rule, cause.severity)) if cause else act.note


def _member(evidence: Sequence[Member], episode: str) -> Member | None:
    return next((m for m in evidence if m.episode == episode), None)
