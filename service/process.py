"""Run a long-lived process: logs, vital signs, signals, exit codes and the stall watchdog."""

import faulthandler
import os
import signal
import threading
from collections.abc import Callable

from catalog.errors import FatalError
from service.log import configure, logger
from service.settings import Settings
from service.vitals import Vitals
from service.vitals_server import Pages, serve_vitals

EXIT_FATAL = 2
EXIT_STALLED = 3


def run_process(
    name: str,
    settings: Settings,
    body: Callable[[Vitals, threading.Event], None],
    *,
    exit_when_stalled_s: float = 25.0,
    pages: Pages | None = None,
) -> int:
    """Run ``body(vitals, stop)`` until SIGTERM or SIGINT sets ``stop``; return the exit code.

    A process that has lag and makes no progress for ``exit_when_stalled_s`` leaves at once with
    code 3, so that its supervisor starts it anew. A ``FatalError`` gives code 2.
    ``pages`` are served beside its vital signs.
    """
    name = settings.process or name
    configure(name, settings.log_level)
    vitals, stop = Vitals(name), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    stop_serving = serve_vitals(vitals, settings.metrics_port, pages)
    _watch(vitals, stop, exit_when_stalled_s)
    try:
        body(vitals, stop)
    except FatalError as error:
        logger().error("fatal", code=error.code, reason=str(error))
        return EXIT_FATAL
    finally:
        stop_serving()
    return 0


def watch_stalls(vitals: Vitals, stop: threading.Event, limit_s: float) -> None:
    """Leave the process with code 3 when its work stalls, or its event loop is blocked, for longer
    than ``limit_s``; return at ``stop``.

    A process that hangs as a whole cannot leave by itself: `deploy.watchdog` ends it from outside.
    """
    while not stop.wait(1.0):
        still = max(vitals.stalled_for(), vitals.blocked_for())
        if still > limit_s:
            logger().error("stalled, leaving for a restart", seconds=round(still))
            faulthandler.dump_traceback(all_threads=True)  # what it waits for, for the log
            os._exit(EXIT_STALLED)


def _watch(vitals: Vitals, stop: threading.Event, limit_s: float) -> None:
    threading.Thread(
        target=watch_stalls, args=(vitals, stop, limit_s), name="watchdog", daemon=True
    ).start()
