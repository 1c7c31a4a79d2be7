"""Photos and documents of a form: made smaller on the phone, sent at once, named by their ids."""

from nicegui.element import Element
from nicegui.events import GenericEventArguments

from console.texts import Words


class Photos(Element, component="photos.js"):
    """A field whose ``value`` is the ids of the attachments that were sent for a kind of record."""

    def __init__(self, words: Words, kind: str) -> None:
        super().__init__()
        self.value: list[int] = []
        self._props["url"] = f"/api/v1/records/{kind}/attachments"
        self._props["texts"] = {
            name: words(f"records.photo_{name}") for name in ("pick", "sending", "failed", "drop")
        }
        self.on("kept", self._kept)

    def set_value(self, value: list[int] | str) -> None:
        """Begin anew: only nothing can be set, what is there was sent by this form."""
        if not value:
            self.value = []
            self.run_method("clear")

    def _kept(self, event: GenericEventArguments) -> None:
        self.value = [int(id) for id in event.args]
