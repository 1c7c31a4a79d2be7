"""Regular expressions that people and other systems send, matched in time linear in the text.

RE2 has no look-around and no back-references: with them a pattern of ten letters could keep a
process busy for hours. It is also what Alertmanager uses, so the syntax is the same as there.
"""

from functools import lru_cache

import re2

MAX_PROGRAM = 2000
"""Instructions of a compiled pattern: a match takes at most so many steps for each letter."""
MAX_MEMORY = 1 << 20


class Pattern:
    """A compiled pattern."""

    def __init__(self, text: str) -> None:
        """Compile ``text``; ValueError in plain words when RE2 cannot."""
        try:
            self._compiled = re2.compile(text, _options())
        except re2.error as error:
            raise ValueError(f"not a regular expression here: {_words(error)}") from None
        except UnicodeEncodeError:
            raise ValueError("not a regular expression here: no Unicode text") from None
        if self._compiled.programsize > MAX_PROGRAM:
            raise ValueError("not a regular expression here: too large, repeat less")

    def covers(self, text: str) -> bool:
        """Tell whether the pattern fits the whole text."""
        return self._compiled.fullmatch(text) is not None


@lru_cache(maxsize=256)
def pattern(text: str) -> Pattern:
    """Return the compiled pattern; ValueError in plain words when it is none."""
    return Pattern(text)


def _options() -> re2.Options:
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    options.max_mem = MAX_MEMORY
    return options


def _words(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    text = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
    if text.startswith(("invalid perl operator: (?=", "invalid perl operator: (?!")):
        return f"{text} (look-ahead is not supported)"
    if text.startswith("invalid perl operator: (?<"):
        return f"{text} (look-behind is not supported)"
    if text.startswith("invalid escape sequence: \\") and text[-1:].isdigit():
        return f"{text} (back-references are not supported)"
    return text
