"""Settings of the alerts processes."""

from pathlib import Path

from pydantic import Field

from catalog.joint import GROUPS
from catalog.lifecycle.registry import RECORDS
from catalog.platform import PLATFORM
from service.settings import Settings

DEFAULT_ROUTES = Path(__file__).parent / "routing" / "routes.toml"


class AlertSettings(Settings):
    """Settings of the alerts processes."""

    webhook_hosts: list[str] = Field(
        default=["127.0.0.1", "localhost", "::1"],
        description="Where webhooks may go: host, *.domain, CIDR, optional http:// and :port"
        " (JSON list)",
    )
    receivers_file: str = Field(default="", description="TOML file of receivers; none when empty")
    routes_file: Path = Field(default=DEFAULT_ROUTES, description="TOML file of the routing tree")
    secrets_key_file: Path | None = Field(
        default=None, description="Key of stored secrets; <state_dir>/secrets.key when unset"
    )
    actual_streams: list[str] = Field(
        default=[],
        description="Streams fed by real devices (JSON list, '*' = all); alerts of others are"
        " marked as exercise",
    )

    def vault_file(self) -> Path:
        """Return the file that holds the key of stored secrets."""
        return self.secrets_key_file or self.state_dir / "secrets.key"

    def is_actual(self, stream: str) -> bool:
        """Tell whether a stream is fed by real devices; the platform is when any stream is."""
        if stream in (PLATFORM, RECORDS, GROUPS):
            return bool(self.actual_streams)
        return "*" in self.actual_streams or stream in self.actual_streams
