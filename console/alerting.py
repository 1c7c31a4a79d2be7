"""What operations on alerts stand on beside the database: settings, routes, guard, vault."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from alerts.delivery.guard import Guard, guard_of
from alerts.delivery.links import Links, links_of
from alerts.delivery.vault import Vault, open_vault
from alerts.routing.notify import Notifier
from alerts.routing.routes import read_routes
from alerts.settings import AlertSettings


@dataclass(frozen=True, slots=True)
class Alerting:
    """Settings of the alerts room as this process sees them, and what is made from them."""

    settings: AlertSettings

    @property
    def guard(self) -> Guard:
        """Where webhooks may go."""
        return guard_of(self.settings, self.settings.webhook_hosts)

    @property
    def notifier(self) -> Notifier:
        """Who is told of what, by the routes file as it is now."""
        return Notifier(read_routes(self.settings.routes_file), self.links)

    @property
    def links(self) -> Links:
        """Links of messages, signed where they can be answered."""
        return links_of(self.settings)

    @property
    def vault(self) -> Vault:
        """What seals secrets."""
        return open_vault(self.settings.vault_file())


def alerting() -> Alerting:
    """Return the settings as the environment gives them."""
    return Alerting(AlertSettings())


Room = Annotated[Alerting, Depends(alerting)]
