"""One message to one receiver: an event, or several of one group."""

from dataclasses import dataclass
from datetime import datetime

from alerts.delivery.links import Links
from alerts.event.events import Event

JSON = "application/json"
ROOMS = {"incident": "incidents"}


@dataclass(frozen=True, slots=True)
class Message:
    """``id`` is the ``webhook-id``; ``group`` says what the events have in common."""

    id: str
    receiver: str
    seq: int
    events: tuple[Event, ...]
    group: str
    links: Links
    sent_at: datetime
    earlier: tuple[str, ...] = ()
    """Earlier messages to this receiver on the same subjects, as CAP references them."""

    @property
    def worst(self) -> Event:
        """The event to put on top: firing before over, then by level, newest last."""
        return min(self.events, key=lambda e: (not e.firing, e.severity))

    @property
    def exercise(self) -> bool:
        """Tell whether anything in it is an exercise; then the whole message is one."""
        return any(event.exercise for event in self.events)

    @property
    def console(self) -> str:
        """The console's address."""
        return self.links.console

    @property
    def respond(self) -> str:
        """The signed link by which it is answered; empty when there is nothing to answer."""
        return self.links.respond(self.id) if any(e.firing for e in self.events) else ""

    def link(self, event: Event) -> str:
        """Return the console page of an event's subject."""
        room = str(event.data.get("page") or ROOMS.get(event.type.split(".")[0], "alerts"))
        return self.links.page(room, event.subject)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A rendered body."""

    body: str
    content_type: str = JSON
