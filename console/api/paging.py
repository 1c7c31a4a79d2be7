"""Lists that never end in silence: ``Link`` leads to the next page, ``X-Total-Count`` counts."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query, Request, Response

T = TypeVar("T")
MAX_OFFSET = 100_000
Offset = Annotated[int, Query(ge=0, le=MAX_OFFSET, description="How many to pass over")]


class Pager:
    """Writes where the next page is into the answer's headers."""

    def __init__(self, request: Request, response: Response) -> None:
        self._request = request
        self._response = response

    def total(self, count: int) -> None:
        """Say how many there are in all."""
        self._response.headers["X-Total-Count"] = str(count)

    def cut(self, rows: list[T], limit: int, following: Callable[[T], dict[str, Any]]) -> list[T]:
        """Return the first ``limit`` rows; when there are more, name the page that follows.

        ``following`` returns the query of that page, given the last row of this one.
        """
        if len(rows) > limit:
            shown = rows[:limit]
            self._response.headers["Link"] = next_link(self._request, **following(shown[-1]))
            return shown
        return rows

    def window(self, fetch: Callable[[int], list[T]], limit: int, offset: int) -> list[T]:
        """Return a page of what ``fetch(most)`` lists from its beginning."""
        rows = fetch(offset + limit + 1)[offset:]
        return self.cut(rows, limit, lambda _: {"offset": offset + limit})


Pages = Annotated[Pager, Depends()]


def next_link(request: Request, **query: Any) -> str:
    """Return the ``Link`` header of the page that follows (RFC 8288), relative to the console."""
    url = request.url.include_query_params(**query)
    return f'<{url.path}?{url.query}>; rel="next"'
