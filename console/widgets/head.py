"""The head's living part: clock, age of what is shown, the frozen sign, the bell."""

from typing import Any

from nicegui.element import Element

from console.texts import Words

KEYS = ("frozen", "silent", "lost", "since", "age", "mute", "unmute", "urgent", "zone")


class Pulse(Element, component="head.js"):
    """Feels the server's beat; shows when it stops, and rings for new urgent alerts.

    ``beat`` is called with every new snapshot. No beat for ``frozen_s`` seconds, or a snapshot
    that is older than that, is told in words and marks the whole page.
    """

    def __init__(self, words: Words, *, frozen_s: float = 6.0) -> None:
        super().__init__()
        self._props["texts"] = {key: words(f"head.{key}") for key in KEYS}
        self._props["frozen-s"] = frozen_s
        self._props["beat"] = {}
        self._props["lang"] = words.html_lang

    def beat(
        self, at: str, trouble: str, urgent: list[dict[str, Any]], *, silent: bool, newest: str
    ) -> None:
        """Tell the state: time of the snapshot, what is wrong, unacknowledged level I/II alerts.

        ``silent``: no sensor is heard any more; ``newest`` is when one last was, "" = never.
        """
        self._props["beat"] = {
            "at": at,
            "trouble": trouble,
            "urgent": urgent,
            "silent": silent,
            "newest": newest,
        }
        self.update()
