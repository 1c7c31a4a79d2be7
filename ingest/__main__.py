"""``python -m ingest``: the gateway, file replay and a look into the topics."""

import sys
import threading
from functools import partial

import typer

from catalog.registry import facts, streams
from catalog.topics import all_topics
from ingest import tap_command
from ingest.gateway import Gateway, IngestSettings, build_app
from ingest.guard import Guard
from ingest.producer import FrameProducer
from ingest.replay import command as replay
from service.clock import SystemClock
from service.command import run
from service.doors import doors
from service.kafka import ensure_topics
from service.postgres import connect
from service.process import run_process
from service.refusals import Refusals
from service.vitals import Vitals
from service.waiting import wait_for
from service.web import serve

app = typer.Typer(no_args_is_help=True, help="The way in for readings.")


@app.callback()
def main() -> None:
    """The way in for readings."""


@app.command("gateway")
def gateway_command() -> None:
    """Serve the HTTP gateway on CITYOPS_GATEWAY until SIGTERM."""
    settings = IngestSettings()
    sys.exit(run_process("gateway", settings, lambda v, stop: _serve(settings, v, stop)))


def _serve(settings: IngestSettings, vitals: Vitals, stop: threading.Event) -> None:
    at = doors(settings, "gateway")
    topics = all_topics(settings.topic_prefix, tuple(streams()), tuple(facts()))

    def begin() -> FrameProducer:
        ensure_topics(settings.kafka, topics)
        return FrameProducer(settings, "gateway")

    producer = wait_for(f"Kafka at {settings.kafka}", begin, vitals, stop)
    if producer is None:
        return
    guard = Guard(settings.database())
    threading.Thread(target=guard.keep_fresh, args=(stop,), name="guard", daemon=True).start()
    clock = SystemClock()
    connection = partial(connect, settings.database(), "gateway")
    refusals = Refusals(connection, clock.now, settings.refusals_every_s)
    recorder = threading.Thread(target=refusals.run, args=(stop,), name="refusals")
    recorder.start()
    app = build_app(Gateway(settings, guard, producer, refusals, vitals, clock), vitals)
    serve(app, at, vitals, stop)
    producer.close()
    recorder.join()


app.command("replay", epilog=replay.EPILOG)(replay.replay_command)
app.command("tap", epilog=tap_command.EPILOG)(tap_command.tap_command)


if __name__ == "__main__":
    run(app)
