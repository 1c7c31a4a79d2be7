"""One message to one receiver: an event, or several of one group."""

from dataclasses import dataclass
from datetime import datetime

from alerts.events import Event

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Message:
    """``id`` is the ``webhook-id``; ``group`` says what the events have in common."""

    id: str
    receiver: str
    seq: int
    events: tuple[Event, ...]
    group: str
    console: str
    sent_at: datetime

    @property
    def worst(self) -> Event:
        """The event to put on top: firing before over, then by level, newest last."""
        return min(self.events, key=lambda e: (not e.firing, e.severity))

    @property
    def exercise(self) -> bool:
        """Tell whether anything in it is an exercise; then the whole message is one."""
        return any(event.exercise for event in self.events)

    def link(self, event: Event) -> str:
        """Return the console page of an event's subject."""
        room = "incidents" if event.type.startswith("incident.") else "alerts"
        return f"{self.console}/{room}/{event.subject}"


@dataclass(frozen=True, slots=True)
class Sealed:
    """A rendered body."""

    body: str
    content_type: str = JSON
