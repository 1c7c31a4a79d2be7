"""Every text of the console in both languages, in one catalogue; zh is the default."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from fastapi import Request

from catalog.model import Text

Language = Literal["zh", "en"]
COOKIE = "cityops_language"
FILE = Path(__file__).with_name("texts.toml")
TAGS = {"zh": "zh-Hans", "en": "en"}


@dataclass(frozen=True, slots=True)
class Words:
    """The texts of one language: ``words("alerts.title")``, ``words.of(stream.title)``."""

    language: Language

    def __call__(self, key: str, **values: object) -> str:
        """Return the text of ``key`` with ``{name}`` parts filled in; KeyError when unknown."""
        found = catalogue()[key][self.language]
        return found.format(**values) if values else found

    def of(self, title: Text) -> str:
        """Return a declaration's label in this language."""
        return getattr(title, self.language)

    def code(self, group: str, code: str) -> str:
        """Return the text of a code that others write; the code itself where none is known."""
        found = catalogue().get(f"{group}.{code}")
        return found[self.language] if found else code

    def pick(self, zh: str | None, en: str | None, fallback: str = "") -> str:
        """Return the label of two database columns in this language, or the fallback."""
        return (zh if self.language == "zh" else en) or zh or en or fallback

    @property
    def html_lang(self) -> str:
        """The BCP 47 tag for the ``lang`` attribute."""
        return TAGS[self.language]


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """Return key → {zh, en}, read once."""
    tables = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return {
        f"{group}.{name}": {"zh": zh, "en": en}
        for group, table in tables.items()
        for name, (zh, en) in table.items()
    }


@cache
def words_of(language: Language) -> Words:
    """Return the texts of a language."""
    return Words(language)


def language_of(request: Request) -> Language:
    """Return the language chosen in this browser, zh when none was."""
    return "en" if request.cookies.get(COOKIE) == "en" else "zh"
