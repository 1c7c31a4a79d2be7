"""The platform's error tree; ``code`` and ``stage`` are bounded and used as metric labels.

CityOpsError
├── ContractError    bad data: to the dead letters, never retried
├── TransientError   broker, database or HTTP away: retried with back-off and a deadline
└── FatalError       misconfiguration or broken state: the process exits non-zero at once
"""

from typing import Literal

Stage = Literal["receiving", "processing", "storing", "delivering"]


class CityOpsError(Exception):
    """Root of all our errors: what happened, a bounded code, and where."""

    def __init__(self, message: str, *, code: str, stage: Stage) -> None:
        super().__init__(message)
        self.code = code
        self.stage = stage


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
