"""Find the declared things: ``systems/<system>/things/*.py``, one ``THING`` each."""

from functools import cache

from catalog.declared import DeclarationError, files_of, load, load_named
from catalog.site import site_folder
from catalog.thing.checks import own_problems
from catalog.thing.model import Placed, Thing


@cache
def things() -> dict[str, Thing]:
    """Return all declared kinds by name; read once per process."""
    found: dict[str, Thing] = {}
    for file in sorted(files_of("things"), key=lambda f: f.stem):
        if file.stem in found:
            raise DeclarationError(f"{file}: a thing named {file.stem!r} exists already")
        thing = load_named(file, "THING", Thing)
        if wrong := own_problems(thing):
            raise DeclarationError(f"{file}: {'; '.join(wrong)}")
        found[file.stem] = thing.model_copy(update={"system": file.parent.parent.name})
    return found


@cache
def placed(kind: str) -> tuple[Placed, ...]:
    """Return the things of a kind that the system and the site place."""
    path = site_folder() / "things" / f"{kind}.py"
    by_site = load(path, "THINGS", tuple) if path.is_file() else ()
    return (*things()[kind].placed, *by_site)
