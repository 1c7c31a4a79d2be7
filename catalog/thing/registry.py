"""Find the declared things: ``systems/<system>/things/*.py``, one ``THING`` each."""

from functools import cache

from catalog.declared import load, load_all
from catalog.site import site_folder
from catalog.thing.checks import own_problems
from catalog.thing.model import Placed, Thing


@cache
def things() -> dict[str, Thing]:
    """Return all declared kinds by name; read once per process."""
    return load_all("things", "THING", Thing, own_problems)


@cache
def placed(kind: str) -> tuple[Placed, ...]:
    """Return the things of a kind that the system and the site place."""
    path = site_folder() / "things" / f"{kind}.py"
    by_site = load(path, "THINGS", tuple) if path.is_file() else ()
    return (*things()[kind].placed, *by_site)
