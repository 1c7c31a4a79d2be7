"""Route, suppress and group notices of events; all in the caller's transaction, so that what
happened and what is owed for it are one fact."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from psycopg import Connection
from psycopg.types.json import Jsonb

from alerts.delivery.links import Links
from alerts.delivery.outbox import Address, Letter, load_addresses, message_id, put
from alerts.event.events import Event
from alerts.routing.causes import NO_CAUSES, Causes, load_causes
from alerts.routing.notified import Known, load_known, note_told, save_known
from alerts.routing.routes import Leg, Routes
from alerts.routing.silences import Silence, hiding, silences_at

MAX_GROUP = 100
"""Events in one message; a larger group becomes several messages."""


@dataclass(frozen=True, slots=True)
class Pause:
    """The group a notice waits in: at least ``wait_s``, and ``interval_s`` after the last flush.

    Without an interval it is due at once, and takes along what waits there.
    """

    group: str
    wait_s: float = 0.0
    interval_s: float | None = None


@dataclass(slots=True)
class Notifier:
    """Knows the routes and the platform's links; everything else is in the database."""

    routes: Routes
    links: Links

    def tell(
        self,
        conn: Connection,
        events: Sequence[Event],
        now: datetime,
        held_back: Mapping[str, str] | None = None,
        *,
        burst: bool = False,
    ) -> int:
        """Owe every receiver what it shall know; return how many notices that made.

        ``held_back`` gives a reason per subject that is not to be told (folded, shelved). With
        ``burst`` the notices are a piece of more than one message each would be right for.
        """
        addresses = load_addresses(conn)
        if not events or not addresses:
            return 0
        known = load_known(conn, {event.subject for event in events})
        causes = self._causes(conn, events)
        silences = silences_at(conn, now)
        notices: list[tuple[Address, Leg, Event]] = []
        for event in events:
            reason = (held_back or {}).get(event.subject, "") or _silenced(silences, event)
            if event.firing:
                notices += self._firing(event, addresses, known, reason, now)
            else:
                notices += self._ending(event, addresses, known)
        save_known(conn, known)
        self._escalate(conn, notices, now)
        self._send(conn, notices, causes, now, burst)
        return len(notices)

    def release(self, conn: Connection, event: Event, receiver: str, path: str, now: datetime):  # noqa: ANN201
        """Tell one receiver of what was held back until now."""
        address = load_addresses(conn).get(receiver)
        if address is None:
            return
        leg, known = self.routes.leg(path), load_known(conn, {event.subject})
        causes = self._causes(conn, [event])
        note_told(known, address, leg, event, now)
        save_known(conn, known)
        notices = [(address, leg, event)]
        self._escalate(conn, notices, now)
        self._send(conn, notices, causes, now)

    def tell_named(
        self, conn: Connection, event: Event, names: Iterable[str], key: str, now: datetime
    ) -> None:
        """Tell these receivers at once, whatever the routes say; ``key`` makes the message's id."""
        addresses = load_addresses(conn)
        wanted = addresses if "*" in (names := list(names)) else names
        letters = [Letter(addresses[n], key, (event,)) for n in wanted if n in addresses]
        put(conn, letters, self.links, now)

    def flush(self, conn: Connection, now: datetime) -> int:
        """Send the groups that are due; return how many messages that made."""
        addresses = {a.id: a for a in load_addresses(conn).values()}
        due = conn.execute(
            "SELECT receiver, group_key FROM notices GROUP BY receiver, group_key"
            " HAVING min(due_at) <= %s ORDER BY min(id) LIMIT 500",
            [now],
        ).fetchall()
        letters: list[Letter] = []
        for receiver, group_key in due:
            rows = conn.execute(
                "DELETE FROM notices WHERE receiver = %s AND group_key = %s"
                " RETURNING id, key, event",
                [receiver, group_key],
            ).fetchall()
            _mark_flushed(conn, receiver, group_key, now)
            if receiver in addresses:
                rows.sort()
                events = [(key, msgspec.convert(event, Event)) for _, key, event in rows]
                letters += _letters(addresses[receiver], events, group_key)
        put(conn, letters, self.links, now)
        return len(letters)

    def _firing(
        self,
        event: Event,
        addresses: dict[str, Address],
        known: Known,
        reason: str,
        now: datetime,
    ) -> Iterable[tuple[Address, Leg, Event]]:
        met: set[int] = set()
        for leg in self.routes.legs(event.labels):
            for address in _expand(leg.receivers, addresses):
                place = (address.id, event.subject)
                if address.id in met:
                    continue  # two routes lead here; the first decides
                met.add(address.id)
                was_told = place in known.told
                if not (was_told or address.wants(event)):
                    continue
                why = reason or ("muted hours" if leg.muted(now) else "")
                if why:
                    if known.levels.get(place) != event.severity:
                        known.holding[place] = [*place, leg.path, why, Jsonb(event.labels)]
                    continue
                note_told(known, address, leg, event, now)
                yield address, leg, event

    def _ending(
        self, event: Event, addresses: dict[str, Address], known: Known
    ) -> Iterable[tuple[Address, Leg, Event]]:
        """An end is told to whoever knows of the beginning, silenced or not."""
        by_id = {a.id: a for a in addresses.values()}
        known.ended += [p for p in known.held | set(known.holding) if p[1] == event.subject]
        for place, path in list(known.told.items()):
            if place[1] == event.subject:
                del known.told[place]
                known.changed.pop(place, None)
                known.ended.append(place)
                if place[0] in by_id:
                    yield by_id[place[0]], self.routes.leg(path), event

    def _causes(self, conn: Connection, events: Sequence[Event]) -> Causes:
        return load_causes(conn, events) if self.routes.file.incident_interval_s else NO_CAUSES

    def _send(
        self,
        conn: Connection,
        notices: list[tuple[Address, Leg, Event]],
        causes: Causes,
        now: datetime,
        burst: bool = False,
    ) -> None:
        """Put messages of one each into the outbox, and the others into their group."""
        at_once: dict[int, list[tuple[Address, Event]]] = {}
        grouped = False
        for address, leg, event in notices:
            if pause := self._pause(address, leg, event, causes):
                _wait(conn, address, leg, event, pause, now)
                grouped = True
            else:
                at_once.setdefault(address.id, []).append((address, event))
        letters: list[Letter] = []
        for mine in at_once.values():
            letters += self._split_storm(mine, burst)
        put(conn, letters, self.links, now)
        if grouped:
            self.flush(conn, now)

    def _pause(self, address: Address, leg: Leg, event: Event, causes: Causes) -> Pause | None:
        """Return the group of a notice: its route's own, else its incident's; none = at once."""
        if leg.group.wait_s or leg.group.by:
            key = f"{leg.path}{leg.group.key(event.labels)}"
            return Pause(key, leg.group.wait_s, leg.group.interval_s)
        incident = causes.of.get(event.subject)
        waits = causes.waiting.get((address.id, event.subject))
        if incident is None:  # no longer: yet no word overtakes one that still waits
            return Pause(waits) if waits else None
        group = waits or f"{{incident={incident}}}"
        if causes.is_urgent(address.id, event):
            return Pause(group)
        return Pause(group, interval_s=self.routes.file.incident_interval_s)

    def _split_storm(self, mine: list[tuple[Address, Event]], burst: bool) -> list[Letter]:
        address = mine[0][0]
        if len(mine) <= self.routes.file.storm and not burst:
            return [Letter(address, _key(event), (event,)) for _, event in mine]
        by_rule: dict[str, list[tuple[str, Event]]] = {}
        for _, event in mine:
            rule = event.labels.get("rule") or event.labels.get("alertname", "")
            by_rule.setdefault(rule, []).append((_key(event), event))
        return [
            letter
            for rule, events in by_rule.items()
            for letter in _letters(address, events, f"{{rule={rule}}}")
        ]

    def _escalate(
        self, conn: Connection, notices: list[tuple[Address, Leg, Event]], now: datetime
    ) -> None:
        plans = {(e.subject, leg.path): leg for _, leg, e in notices if e.firing and leg.escalate}
        for (subject, path), leg in plans.items():
            for n, step in enumerate(leg.escalate):
                due = now + timedelta(minutes=step.after_min)
                conn.execute(
                    "INSERT INTO escalations (subject, route, step, receivers, due_at)"
                    " VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                    [subject, path, n, list(step.to), due],
                )


def _key(event: Event) -> str:
    """Return what makes a message's id: the transition, or what stands for it."""
    own = event.data.get("id", event.subject)
    which = event.data.get("revision") or event.at.isoformat()
    return str(own) if event.type in _ONCE else f"{own}|{event.type}|{which}"


_ONCE = (*("alert.raised", "alert.changed", "alert.confirmed", "alert.withdrawn", "alert.cleared"),)


def _letters(address: Address, events: list[tuple[str, Event]], group: str) -> list[Letter]:
    made = []
    for start in range(0, len(events), MAX_GROUP):
        part = events[start : start + MAX_GROUP]
        key = part[0][0] if len(part) == 1 else message_id(0, "|".join(k for k, _ in part))
        made.append(Letter(address, key, tuple(event for _, event in part), group))
    return made


def _expand(names: tuple[str, ...], addresses: dict[str, Address]) -> list[Address]:
    if "*" in names:
        named = [addresses[n] for n in names if n in addresses]
        return [a for a in addresses.values() if a.routed or a in named]
    return [addresses[n] for n in names if n in addresses]


def _silenced(silences: list[Silence], event: Event) -> str:
    return hiding(silences, event.labels) if event.firing else ""


def _wait(
    conn: Connection, address: Address, leg: Leg, event: Event, pause: Pause, now: datetime
) -> None:
    """Put a notice into its group, to be sent when that is due."""
    conn.execute(
        "INSERT INTO notices (receiver, route, group_key, key, event, due_at)"
        " SELECT %(receiver)s, %(route)s, %(group)s, %(key)s, %(event)s,"
        " greatest(%(now)s::timestamptz + make_interval(secs => %(wait)s), (SELECT flushed_at"
        " + make_interval(secs => %(interval)s) FROM notice_groups"
        " WHERE receiver = %(receiver)s AND group_key = %(group)s))",
        {
            "receiver": address.id,
            "route": leg.path,
            "group": pause.group,
            "key": _key(event),
            "event": Jsonb(msgspec.to_builtins(event)),
            "now": now,
            "wait": pause.wait_s,
            "interval": pause.interval_s,
        },
    )


def _mark_flushed(conn: Connection, receiver: int, group_key: str, now: datetime) -> None:
    conn.execute(
        "INSERT INTO notice_groups VALUES (%s, %s, %s) ON CONFLICT (receiver, group_key)"
        " DO UPDATE SET flushed_at = excluded.flushed_at",
        [receiver, group_key, now],
    )
