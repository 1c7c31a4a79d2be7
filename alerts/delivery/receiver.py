"""A reference receiver: verifies signatures, knows repeats, prints one line per event."""

import json
import sys
import threading
from collections import OrderedDict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from alerts.delivery.formats.cityops import GROUPED
from catalog.model import Severity
from catalog.severity import LEVELS
from service.process import run_process
from service.settings import Settings
from service.vitals import Vitals

REMEMBERED = 10_000
MAX_BODY = 1024 * 1024


class Inbox:
    """Verifies messages with one secret and remembers the ids it has taken."""

    def __init__(self, secret: str) -> None:
        self._webhook = Webhook(secret)
        self._lock = threading.Lock()
        self._taken: OrderedDict[str, None] = OrderedDict()

    def take(self, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        """Return (HTTP status, line to print); 400 for a message that is not from the platform."""
        try:
            event: Any = self._webhook.verify(body, headers)
        except (WebhookVerificationError, ValueError, KeyError) as error:
            return 400, f"✗ refused: {error}"
        message_id = {k.lower(): v for k, v in headers.items()}["webhook-id"]
        with self._lock:
            repeated = message_id in self._taken
            self._taken[message_id] = None
            while len(self._taken) > REMEMBERED:
                self._taken.popitem(last=False)
        return 204, ("(repeat) " if repeated else "") + readable(event)


def readable(event: dict[str, Any]) -> str:
    """Return one line in zh and en: level, what, where, value against limit."""
    data, kind = event["data"], event["type"].rsplit(".", 1)[-1]
    if event["type"] == GROUPED:
        counts = ", ".join(f"{n} {what}" for what, n in data["counts"].items())
        return f"{event['timestamp']} ▤ {data['group']} {counts}"
    if "severity" not in data:
        return f"{event['timestamp']} · {event['type']} {json.dumps(data, ensure_ascii=False)}"
    level = LEVELS[Severity(data["severity"]["level"])]
    name = data.get("rule") or data.get("kind", "")
    title = data.get("title", {"zh": name, "en": name})
    head = f"{level.icon} {level.title.zh}{level.title.en} {kind}"
    return f"{event['timestamp']} {head} {title['zh']} {title['en']} · {_where(data)}"


def _where(data: dict[str, Any]) -> str:
    if "sensor" not in data:
        return str(data.get("place", {}).get("zh", ""))
    sensor = data["sensor"]
    place = sensor.get("title", {"zh": sensor["id"]})["zh"]
    if data.get("value") is None:
        return place
    unit = "" if data.get("unit") in (None, "1") else f" {data['unit']}"  # UCUM: 1 is no unit
    return f"{place} · {data['value']:g}{unit}"


def serve(port: int, secret: str, as_json: bool, stop: threading.Event) -> None:
    """Serve on loopback until ``stop``."""
    inbox = Inbox(secret)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = min(int(self.headers.get("content-length") or 0), MAX_BODY)
            body = self.rfile.read(length)
            status, line = inbox.take(body, dict(self.headers.items()))
            print(json.dumps({"status": status, "line": line}) if as_json else line, flush=True)
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: one line per event is printed above."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stop.wait()
    server.shutdown()
    server.server_close()


def receive(port: int, secret_file: Path, as_json: bool = False) -> int:
    """Run until SIGTERM; return the exit code."""
    secret = secret_file.read_text().strip()

    def body(vitals: Vitals, stop: threading.Event) -> None:
        vitals.ready()
        serve(port, secret, as_json, stop)

    return run_process("receiver", Settings(), body)


if __name__ == "__main__":
    sys.exit(receive(int(sys.argv[1]), Path(sys.argv[2])))
