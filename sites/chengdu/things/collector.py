"""Collectors' posts: two in each district within the ring expressway; invented."""

from catalog.base import text
from catalog.thing.model import Placed
from sites.chengdu.districts import CENTRAL, DISTRICTS

THINGS = tuple(
    Placed(
        id=f"post-{code}-{n}",
        title=text(
            f"{DISTRICTS[code].title.zh}采集岗 {n}", f"{DISTRICTS[code].title.en}, post {n}"
        ),
        lon=DISTRICTS[code].lon,
        lat=DISTRICTS[code].lat,
        district=code,
    )
    for code in CENTRAL
    for n in (1, 2)
)
