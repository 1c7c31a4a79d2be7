"""Links in messages: to the console's pages, and signed ones to answer without a login."""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass, field

from alerts.delivery.vault import open_vault
from alerts.settings import AlertSettings

SIGNED = re.compile(r"(/respond/msg_[0-9a-f]+\.)[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Links:
    """Makes links below the console's address; without a key none can be answered."""

    console: str
    key: bytes = field(default=b"", repr=False)

    def page(self, room: str, subject: str) -> str:
        """Return the console's page of an alert, incident or drill."""
        return f"{self.console}/{room}/{subject}"

    def respond(self, message: str) -> str:
        """Return the signed link by which whoever got a message answers it; "" without a key."""
        return f"{self.console}/respond/{message}.{self._mac(message)}" if self.key else ""

    def opened(self, token: str) -> str | None:
        """Return the message that a link's last part stands for; None when it is not ours."""
        message, _, mac = token.rpartition(".")
        good = bool(self.key) and hmac.compare_digest(mac.encode(), self._mac(message).encode())
        return message if good else None

    def _mac(self, message: str) -> str:
        digest = hmac.new(self.key, f"respond|{message}".encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest[:18]).decode()


def mask(text: str) -> str:
    """Return a body with its signed links made useless: who may read the log may not answer."""
    return SIGNED.sub(r"\1…", text)


def links_of(settings: AlertSettings) -> Links:
    """Return the links of a platform, signed with a key that derives from its vault's."""
    secret = open_vault(settings.vault_file()).key
    return Links(
        settings.console_for_people(), hmac.new(secret, b"cityops links", hashlib.sha256).digest()
    )
