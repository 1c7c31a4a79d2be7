"""Pages that turn by themselves on a wall, one visible at a time."""

from nicegui.element import Element

from console.texts import Words


class Rotation(Element, component="rotate.js"):
    """Shows one of the elements ``[data-page]`` at a time, each for ``seconds``.

    ``pages`` are (name, title). Arrow keys turn, space stops; ``?page=name`` begins there,
    ``?seconds=0`` never turns.
    """

    def __init__(self, words: Words, pages: list[tuple[str, str]], seconds: float) -> None:
        super().__init__()
        self._props["pages"] = [{"name": name, "title": title} for name, title in pages]
        self._props["seconds"] = seconds
        self._props["texts"] = {key: words(f"wall.{key}") for key in ("pages", "pause", "turn")}
