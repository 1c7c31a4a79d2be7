"""Structured logs: one line ``time level event key=value…`` on standard error."""

import logging
import sys

import structlog

LIBRARIES = ("kafka", "aiokafka")
QUIET_S = 30.0


class OncePerOutage(logging.Handler):
    """Pass a library's record on to the root logger unless it said the like a short while ago.

    Kafka's clients ask for a broker that is away many times a second, and tell each time. The like
    is the same message, whatever it names; when it has not been said for ``QUIET_S`` it is news.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str], float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Forward the record, or only remember that it was said again."""
        key = (record.name, str(record.msg))
        before = self._said.get(key, 0.0)
        self._said[key] = record.created
        if record.created - before > QUIET_S:
            logging.getLogger().handle(record)


def configure(process: str, level: str = "info") -> None:
    """Send our logs and the libraries' warnings to standard error in one format."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(message)s"
    )
    for name in LIBRARIES:
        library = logging.getLogger(name)
        library.propagate = False
        library.handlers = [OncePerOutage()]
    # it calls SCRAM on a line without TLS "credentials in the clear", at each connection
    logging.getLogger("kafka.net.sasl").setLevel(logging.ERROR)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    structlog.contextvars.bind_contextvars(process=process)


def logger() -> structlog.typing.FilteringBoundLogger:
    """Return the process's logger: ``log.info("batch stored", rows=…, ms=…)``."""
    return structlog.get_logger()
