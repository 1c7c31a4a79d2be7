"""Settings of every process, from the environment: ``CITYOPS_<NAME>``, or a file ``…_FILE``."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What all processes share. Rooms subclass it and keep the prefix ``CITYOPS_``."""

    model_config = SettingsConfigDict(env_prefix="CITYOPS_", extra="ignore", frozen=True)

    kafka: str = Field(default="127.0.0.1:9092", description="Kafka bootstrap servers, host:port,…")
    dsn: SecretStr = Field(
        default=SecretStr("postgresql://cityops@127.0.0.1:5432/cityops"),
        description="PostgreSQL address of the platform's database",
    )
    topic_prefix: str = Field(
        default="city", description="First part of every topic and group name"
    )
    gateway: str = Field(
        default="http://127.0.0.1:8600", description="Address of the ingest gateway"
    )
    console: str = Field(
        default="http://127.0.0.1:8700", description="Address of the operators' console"
    )
    public_url: str = Field(
        default="", description="Address of the console for people; that of `console` when empty"
    )
    tls_cert: Path | None = Field(default=None, description="PEM file of a certificate's chain")
    tls_key: Path | None = Field(default=None, description="PEM file of the certificate's key")
    console_tls: str = Field(
        default="", description="Where the console answers HTTPS as well: https://host:port"
    )
    gateway_tls: str = Field(
        default="", description="Where the gateway answers HTTPS as well: https://host:port"
    )
    console_redirect: str = Field(
        default="",
        description="Where browsers that come by http:// are sent to `public_url`: http://host:port",
    )
    api_key: SecretStr | None = Field(default=None, description="API key for gateway and console")
    api_key_file: Path | None = Field(default=None, description="File that holds the API key")
    process: str = Field(default="", description="Name of this process in status and logs")
    metrics_port: int = Field(default=0, description="Port of /health and /metrics; 0 = none")
    state_dir: Path = Field(default=Path(".cityops"), description="Folder for local state")
    disks: str = Field(
        default="", description="Folders whose disks must not fill, separated as in PATH"
    )
    log_level: str = Field(default="info", description="debug, info, warning or error")

    def database(self) -> str:
        """Return the connection string in clear, for psycopg only."""
        return self.dsn.get_secret_value()

    def key(self) -> str:
        """Return the API key from the variable or the file; empty when none is set."""
        if self.api_key is not None:
            return self.api_key.get_secret_value()
        return self.api_key_file.read_text().strip() if self.api_key_file else ""

    def console_for_people(self) -> str:
        """Return the console's address as it stands in messages."""
        return (self.public_url or self.console).rstrip("/")
