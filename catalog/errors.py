"""The platform's one error tree; ``code`` and ``stage`` are bounded and used as metric labels.

CityOpsError
├── ContractError    bad data: to the dead letters, never retried
├── TransientError   broker, database or HTTP away: retried with back-off and a deadline
├── FatalError       misconfiguration or broken state: the process exits non-zero at once
└── RefusedError     what a person or a machine asked for is not done; nothing was written
    ├── InvalidError    a field breaks a rule
    ├── NotFoundError   there is no such thing
    ├── ForbiddenError  the actor may not
    └── ConflictError   not as things stand
"""

from typing import Literal

Stage = Literal[
    "declaring", "starting", "receiving", "processing", "storing", "delivering", "acting"
]


class CityOpsError(Exception):
    """Root of all our errors: what happened, a bounded code, and where."""

    def __init__(self, message: str, *, code: str, stage: Stage) -> None:
        super().__init__(message)
        self.code = code
        self.stage: Stage = stage


class ContractError(CityOpsError):
    """Data that breaks a contract."""


class TransientError(CityOpsError):
    """Something we depend on is away; try again after ``retry_after_s``."""

    def __init__(
        self, message: str, *, code: str, stage: Stage, retry_after_s: float = 1.0
    ) -> None:
        super().__init__(message, code=code, stage=stage)
        self.retry_after_s = retry_after_s


class FatalError(CityOpsError):
    """Nothing but a person can repair this."""


class RefusedError(CityOpsError, ValueError):
    """An act that was not done; the text says what to do instead.

    It is a ``ValueError`` too, as a refused value of the standard library is.
    """

    usual_code = "refused"

    def __init__(self, message: str = "", *, code: str = "") -> None:
        super().__init__(message, code=code or self.usual_code, stage="acting")


class InvalidError(RefusedError):
    """What was given breaks a rule; ``field`` is where."""

    usual_code = "invalid"

    def __init__(self, message: str, field: str = "", *, code: str = "") -> None:
        super().__init__(message, code=code)
        self.field = field


class NotFoundError(RefusedError):
    """There is no such thing."""

    usual_code = "not_found"


class ForbiddenError(RefusedError):
    """The actor may not do it."""

    usual_code = "forbidden"


class ConflictError(RefusedError):
    """It cannot be done as things stand; the text says how they stand."""

    usual_code = "conflict"
