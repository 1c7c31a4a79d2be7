"""Why an act is refused; ``code`` is bounded and becomes part of an API's answer."""


class RefusedError(ValueError):
    """Root of the refusals: nothing was written."""

    code = "refused"


class InvalidError(RefusedError):
    """What was given with the act breaks the declaration; ``field`` is where."""

    code = "invalid"

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class NotFoundError(RefusedError):
    """There is no such record, kind or move."""

    code = "not_found"


class ForbiddenError(RefusedError):
    """The actor has none of the roles that the move asks for."""

    code = "forbidden"


class ConflictError(RefusedError):
    """It cannot be done as things stand; the text says how they stand."""

    code = "conflict"
