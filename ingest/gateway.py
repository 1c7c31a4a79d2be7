"""The HTTP gateway: readings in, 202 only after Kafka has acknowledged all of them."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import pyarrow as pa
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import Counter
from pydantic import Field
from starlette.requests import ClientDisconnect

from catalog.contracts import DeadLetter
from catalog.errors import TransientError
from catalog.fact.model import Fact
from catalog.model import Stream
from catalog.registry import made_of_facts, streams
from ingest.arrow_body import parse_arrow
from ingest.describe import describe, request_schema
from ingest.fact_routes import add_fact_routes
from ingest.facts import parse_facts
from ingest.guard import Guard
from ingest.problems import add_problems, problem, refusal
from ingest.producer import FrameProducer
from ingest.readings import Refused, parse_json
from service.api_keys import shown
from service.clock import Clock
from service.metrics import seconds, sizes
from service.refusals import Refusals
from service.settings import Settings
from service.vitals import Vitals
from service.web import add_health

ARROW = "application/vnd.apache.arrow.stream"
# what curl sends by itself, and devices that say nothing, are taken for JSON
JSON = ("application/json", "application/x-www-form-urlencoded", "text/plain", "")
MAX_BODY = 2 * 2**20
ACK_DEADLINE_S = 10.0
MAX_IN_FLIGHT = 256
BODY_DEADLINE_S = 30.0

ACCEPTED = Counter("cityops_gateway_accepted", "Readings accepted", ["stream"])
REQUEST_SECONDS = seconds("cityops_gateway_request_seconds", "From the body to the answer")
REQUEST_READINGS = sizes("cityops_gateway_request_readings", "Readings of an accepted request")
BYTES = Counter("cityops_gateway_bytes", "Bytes of the bodies read")
LETTERS = Counter("cityops_gateway_dead_letters", "Readings sent to the dead letters", ["code"])
REFUSED = Counter("cityops_gateway_refused", "Requests refused", ["rule"])


class IngestSettings(Settings):
    """Settings of the gateway."""

    # not named `register`, which pydantic's base class has already
    registration: Literal["auto", "strict"] = Field(
        default="auto",
        validation_alias="CITYOPS_REGISTER",
        description="auto: unknown sensors become provisional; strict: dead letters",
    )
    refusals_every_s: float = Field(
        default=60.0,
        gt=0,
        description="Refused calls are counted for so long before the audit log has them",
    )


class Gateway:
    """Handles requests of all streams with one producer."""

    def __init__(
        self,
        settings: IngestSettings,
        guard: Guard,
        producer: FrameProducer,
        refusals: Refusals,
        vitals: Vitals,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._guard = guard
        self._producer = producer
        self._refusals = refusals
        self._vitals = vitals
        self._clock = clock
        self._slots = asyncio.Semaphore(MAX_IN_FLIGHT)
        self._at_work = 0

    async def post(self, stream: Stream, request: Request) -> Response:
        """Answer one POST of readings."""
        return await self._answer(stream.name, lambda b: self._accept(stream, request, b), request)

    async def post_facts(self, fact: Fact, request: Request) -> Response:
        """Answer one POST of facts."""
        if _kind(request) == ARROW:
            return problem(415, "unknown content type", "facts come as JSON", "content_type")
        return await self._answer(fact.name, lambda b: self._accept_facts(fact, b), request)

    async def _answer(
        self, name: str, accept: Callable[[bytes], Response], request: Request
    ) -> Response:
        if denied := self._authorize(name, request) or _wrong_kind(request):
            return denied
        body = await _read_body(request)
        if isinstance(body, Response):
            return body
        if self._slots.locked():
            return problem(429, "too many requests", "try again", "busy", Retry_After="1")
        BYTES.inc(len(body))
        async with self._slots:
            self._count(1)
            try:
                with REQUEST_SECONDS.time():
                    return await asyncio.to_thread(accept, body)
            except Refused as refused:
                for error in refused.errors:
                    REFUSED.labels(error.rule).inc()
                return refusal(refused)
            except asyncio.CancelledError:  # the server stops and waits no longer
                return problem(503, "stopping", "send it again", "stopping", Retry_After="2")
            except TransientError as error:
                self._vitals.trouble(str(error)[:200])
                retry = str(max(1, round(error.retry_after_s)))
                title = "not stored, try again"
                return problem(503, title, str(error), error.code, Retry_After=retry)
            finally:
                self._vitals.progress()
                self._count(-1)

    def _count(self, change: int) -> None:
        """Count the requests at work: when none of them ends for long, the process leaves."""
        self._at_work += change
        self._vitals.lag(self._at_work)

    def _accept(self, stream: Stream, request: Request, body: bytes) -> Response:
        now = self._clock.now()
        batch = (parse_arrow if _kind(request) == ARROW else parse_json)(stream, body, now)
        answer: dict[str, Any] = {"accepted": batch.num_rows}
        pending = []
        if self._settings.registration == "strict":
            batch, strangers = self._sort_out(stream, batch)
            if strangers:
                LETTERS.labels("unknown_sensor").inc(len(strangers))
                pending.append(self._producer.send_dead_letter(self._letter(stream, strangers)))
                answer["dead_lettered"] = len(strangers)
        if batch.num_rows:
            pending.append(self._producer.send(stream, batch, now))
        for sent in pending:
            sent.wait(ACK_DEADLINE_S)
        self._vitals.trouble("")
        self._vitals.progress(
            answer["accepted"], newest=min(_newest(batch), now) if batch.num_rows else None
        )
        ACCEPTED.labels(stream.name).inc(answer["accepted"])
        REQUEST_READINGS.observe(answer["accepted"])
        return JSONResponse(answer, 202)

    def _accept_facts(self, fact: Fact, body: bytes) -> Response:
        now = self._clock.now()
        rows = parse_facts(fact, body, now, self._guard.day_keys)
        self._producer.send_facts(fact, rows, now).wait(ACK_DEADLINE_S)
        self._vitals.trouble("")
        self._vitals.progress(len(rows), newest=min(max(row["at"] for row in rows), now))
        ACCEPTED.labels(fact.name).inc(len(rows))
        return JSONResponse({"accepted": len(rows)}, 202)

    def _sort_out(
        self, stream: Stream, batch: pa.RecordBatch
    ) -> tuple[pa.RecordBatch, list[dict[str, Any]]]:
        names = batch.column("sensor").to_pylist()
        known = [self._guard.is_registered(stream.name, name) for name in names]
        strangers = batch.filter(pa.array([not k for k in known])).to_pylist()
        readings = [
            {k: v.isoformat() if k == "observed_at" else v for k, v in r.items() if v is not None}
            for r in strangers
        ]
        return batch.filter(pa.array(known)), readings

    def _letter(self, stream: Stream, readings: list[dict[str, Any]]) -> DeadLetter:
        return DeadLetter(
            id=f"gateway/{uuid.uuid4().hex}",
            stream=stream.name,
            stage="receiving",
            code="unknown_sensor",
            reason="these sensors are not registered",
            at=self._clock.now(),
            readings=readings,
            source="gateway",
        )

    def _authorize(self, name: str, request: Request) -> Response | None:
        if not self._guard.loaded:
            return problem(503, "starting", "keys are not loaded yet", "starting", Retry_After="1")
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token = token.strip()
        key = self._guard.find(token) if scheme.lower() == "bearer" else None
        if key is None:
            self._note(request, 401, "", f"{name}, {shown(token)}")
            detail = "send Authorization: Bearer <API key>"
            return problem(401, "no valid key", detail, "key", WWW_Authenticate="Bearer")
        if not key.allows("ingest", name):
            self._note(request, 403, f"key {key.name}", name)
            return problem(403, "key not allowed", f"needs scope ingest:{name}", "scope")
        return None

    def _note(self, request: Request, status: int, who: str, asked: str) -> None:
        """Count a refusal for the audit log.

        Strangers count by their address alone: a new key at each try would be a row at each try.
        """
        REFUSED.labels("key" if status == 401 else "scope").inc()
        address = request.client.host if request.client else ""
        self._refusals.note(f"ingest.{status}", who, address, asked)


def build_app(gateway: Gateway, vitals: Vitals) -> FastAPI:
    """Return the application with one documented operation per stream."""
    app = FastAPI(title="cityops gateway 数据接入网关", version="1", docs_url=None, redoc_url=None)
    for stream in streams().values():
        if stream.name in made_of_facts():
            continue
        app.add_api_route(
            f"/v1/streams/{stream.name}/readings",
            _operation(gateway, stream),
            methods=["POST"],
            status_code=202,
            summary=f"{stream.title.zh} {stream.title.en}",
            operation_id=f"post_{stream.name}",
            openapi_extra={"requestBody": request_schema(stream)},
            responses={202: {"description": "Acknowledged by Kafka"}},
        )
    add_fact_routes(app, gateway.post_facts)
    app.add_api_route("/v1/streams", lambda: [describe(s) for s in streams().values()])
    app.add_api_route("/v1/streams/{stream}", _describe)
    app.add_api_route("/v1/streams/{stream}/readings", _unknown, methods=["POST"])

    add_health(app, vitals)
    add_problems(app)
    return app


def _operation(gateway: Gateway, stream: Stream) -> Callable[[Request], Awaitable[Response]]:
    async def post(request: Request) -> Response:
        return await gateway.post(stream, request)

    return post


def _describe(stream: str) -> Response:
    declared = streams().get(stream)
    return JSONResponse(describe(declared)) if declared else _unknown(stream)


def _unknown(stream: str) -> Response:
    if made := made_of_facts().get(stream):
        detail = f"{stream} is made of facts: POST them to /v1/facts/{made.name}"
        return problem(409, "made of facts", detail, "made_of_facts")
    known = ", ".join(streams())
    return problem(404, "unknown stream", f"no stream {stream!r}; known: {known}", "stream")


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _wrong_kind(request: Request) -> Response | None:
    """Refuse what is neither JSON nor Arrow, and what is packed."""
    kind, packed = _kind(request), request.headers.get("content-encoding", "identity")
    if packed.lower() != "identity":
        return problem(415, "packed body", f"{packed[:40]} is not unpacked here", "encoding")
    if kind not in (*JSON, ARROW) and not kind.endswith("+json"):
        detail = f"{kind[:80]} is not known here, send {JSON[0]} or {ARROW}"
        return problem(415, "unknown content type", detail, "content_type")
    return None


async def _read_body(request: Request) -> bytes | Response:
    """Return the body, or why it is not taken; never holds more than the limit."""
    large = problem(413, "body too large", f"at most {MAX_BODY} bytes a request", "body_size")
    if int(request.headers.get("content-length") or 0) > MAX_BODY:
        return large
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_DEADLINE_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY:
                    return large
    except TimeoutError:
        detail = f"the body was not there after {BODY_DEADLINE_S:.0f} s"
        return problem(408, "too slow", detail, "slow", Connection="close")
    except ClientDisconnect:
        return problem(400, "gone", "the client has gone away", "gone")
    return bytes(body)


def _newest(batch: pa.RecordBatch) -> Any:
    return max(batch.column("observed_at").to_pylist())
