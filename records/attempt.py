"""Steps that the platform takes by comparing: one that somebody else took first is no error."""

from collections.abc import Mapping

from catalog.errors import RefusedError
from records.act import act
from records.context import Context
from service.log import logger


def attempt(
    context: Context,
    kind: str,
    id: int,
    move: str,
    args: Mapping[str, object] | None = None,
    *,
    reason: str = "",
) -> int:
    """Take a step of a record; return 1, or 0 when it is refused, which the log tells."""
    try:
        act(context, kind, id, move, args, reason=reason)
    except RefusedError as error:
        logger().info("a step was not taken", record=f"{kind}-{id}", move=move, reason=str(error))
        return 0
    return 1
