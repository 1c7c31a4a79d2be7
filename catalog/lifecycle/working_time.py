"""The site's working time, from its folder ``calendar/``: ``hours.toml``, and one file a year."""

import tomllib
from datetime import time
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from catalog.declared import DeclarationError
from catalog.lifecycle.calendar import Calendar, WorkingYear
from catalog.site import site, site_folder

ALWAYS = ((time(0), time.max),)


@cache
def working_time() -> Calendar:
    """Return the calendar with every year that has a file; read once per process.

    A site without the folder works at all hours of Monday to Friday.
    """
    folder = site_folder() / "calendar"
    hours = _read(folder / "hours.toml").get("hours", ALWAYS)
    years = [_year(file) for file in sorted(folder.glob("[0-9]*.toml"))]
    return Calendar(zone=site().zone, hours=hours, years={year.year: year for year in years})


def _year(file: Path) -> WorkingYear:
    try:
        return WorkingYear.model_validate(_read(file) | {"year": int(file.stem)})
    except ValidationError as error:
        said = "; ".join(fault["msg"] for fault in error.errors())
        raise DeclarationError(f"{file}: {said}") from None


def _read(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise DeclarationError(f"{file}: {error}") from None
