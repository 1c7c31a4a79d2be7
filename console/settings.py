"""Settings of the console process."""

from pydantic import Field

from service.settings import Settings


class ConsoleSettings(Settings):
    """Settings of the operators' web."""

    console_open: bool = Field(
        default=False, description="Pages may be viewed (not acted on) without a login"
    )
    session_idle_minutes: float = Field(
        default=30.0, gt=0, description="A login ends after so many minutes without use"
    )
    session_hours: float = Field(
        default=12.0, gt=0, description="A login ends after so many hours, used or not"
    )
