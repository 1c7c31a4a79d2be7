"""Indices: scores by district, the tree of one place, and what each number counts."""

from fastapi import APIRouter
from pydantic import BaseModel

from catalog.index import Index, indices
from catalog.site import site
from console.auth import Conn, Viewer
from console.problems import not_found
from engine.indices import Scored
from records.indices import CITY, Item, items_of, score_places
from service.postgres import now_of

router = APIRouter(tags=["index"])
WHOLE = "city"


class Part(BaseModel):
    """A part of the tree: ``score`` 0 to 100, or ``why`` not: ``incomplete`` or ``absent``.

    ``red``: safety leaves below that are red; ``capped``: the score was cut because of them.
    """

    name: str
    title_zh: str
    title_en: str
    weight: float
    score: float | None
    why: str
    red: list[str]
    capped: bool
    value: float | None = None
    known: int | None = None
    of: int | None = None
    parts: list["Part"] = []


@router.get("/index")
def list_indices(who: Viewer) -> list[dict[str, str]]:
    """Return the site's indices."""
    return [
        {"name": one.name, "title_zh": one.title.zh, "title_en": one.title.en}
        for one in indices().values()
    ]


@router.get("/index/{name}")
def places(name: str, conn: Conn, who: Viewer) -> dict[str, Part]:
    """Return the tree of the whole city (``city``) and of every district, by its code."""
    index = _known(name)
    found = score_places(conn, index, now_of(conn))
    return {place or WHOLE: _part(index, scored) for place, scored in found.items()}


@router.get("/index/{name}/{place}/{leaf}")
def counted(name: str, place: str, leaf: str, conn: Conn, who: Viewer) -> list[Item]:
    """Return what a leaf counts in a place: the sensors or records that its number is made of."""
    declared = _known(name).leaf(leaf)
    if declared is None:
        raise not_found(f"{name} has no leaf {leaf[:60]!r}")
    if place != WHOLE and place not in site().districts:
        raise not_found(f"no district {place[:60]!r}")
    return items_of(conn, declared, CITY if place == WHOLE else place, now_of(conn))


def _known(name: str) -> Index:
    if (found := indices().get(name)) is None:
        raise not_found(f"no index {name[:60]!r}; known: {', '.join(indices()) or 'none'}")
    return found


def _part(index: Index, scored: Scored) -> Part:
    titles = index.titles()
    counted = scored.counted
    return Part(
        name=scored.name,
        title_zh=titles[scored.name].zh,
        title_en=titles[scored.name].en,
        weight=scored.weight,
        score=scored.score,
        why=scored.why,
        red=list(scored.red),
        capped=scored.capped,
        value=counted.value if counted else None,
        known=counted.known if counted else None,
        of=counted.of if counted else None,
        parts=[_part(index, part) for part in scored.parts],
    )
