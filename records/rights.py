"""Who may take which step: by the role that a record declares, and by who took the steps before."""

from catalog.errors import ForbiddenError, NotFoundError
from catalog.lifecycle.record import Record
from records import store
from records.context import Context


def role_for(context: Context, record: Record, row: store.Row, name: str) -> str:
    """Return the role in which the actor may take a move; ``ForbiddenError`` says what is missing.

    ``NotFoundError`` when the record has no such move.
    """
    move = record.move(name)
    if move is None:
        raise NotFoundError(f"{record.name} has no move {name[:60]!r}")
    role = context.role(record, move.roles, row.fields)
    if role is None:
        raise ForbiddenError(f"for {name} you need one of: {', '.join(move.roles)}")
    if move.apart and (own := _taken(context, row.id) & {*move.apart}):
        raise ForbiddenError(f"{name} is for somebody else: you took {', '.join(sorted(own))}")
    return role


def _taken(context: Context, id: int) -> set[str]:
    """Return the moves of a record that this actor took."""
    return {e.move for e in store.log_of(context.conn, id) if e.actor == context.actor}
