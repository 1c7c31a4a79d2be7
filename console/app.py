"""One application: the API under ``/api``, the pages of NiceGUI, the login form."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from nicegui import ui

from console import (
    api,
    edge,
    feeds,
    login,
    pages,
    password_page,
    problems,
    report_sheet,
    respond,
    week_sheet,
)
from console.auth import Desk, note_refusal
from console.live import Live
from console.login_limits import LoginLimits
from console.public_rate import PublicRate
from console.settings import ConsoleSettings
from exchange.snapshot import Snapshots
from service.clock import SystemClock
from service.postgres import pool
from service.refusals import Refusals
from service.vitals import Vitals
from service.web import add_health

POOL = 8
RECONNECT_S = 60.0
"""So long a page that lost its connection is kept: sooner, a busy machine loads it anew."""
STATIC = Path(__file__).with_name("static")


def build_app(settings: ConsoleSettings, vitals: Vitals) -> FastAPI:
    """Return the application; NiceGUI allows one per process."""
    clock = SystemClock()
    live = Live(settings.database(), clock)
    connections = pool(settings.database(), "console", size=POOL)
    limits, refusals = LoginLimits(clock.monotonic), Refusals(connections.connection, clock.now)
    desk = Desk(settings, connections, clock, live, limits, refusals)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        stop = threading.Event()
        reader = threading.Thread(target=live.run, args=(stop, vitals.trouble), name="live")
        recorder = threading.Thread(target=refusals.run, args=(stop,), name="refusals")
        reader.start()
        with desk.pool:
            recorder.start()
            yield
            stop.set()
            await asyncio.to_thread(recorder.join)
        await asyncio.to_thread(reader.join)

    app = FastAPI(
        title="cityops console API 城市运行信息平台接口",
        version="1",
        lifespan=lifespan,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.desk = desk
    app.state.snapshots, app.state.public_rate = Snapshots(), PublicRate(clock.monotonic)
    edge.install(app)
    problems.install(app, lambda request, status: note_refusal(desk, request, status))
    api.mount(app)
    problems.refuse_unknown_paths(app)
    app.include_router(login.router)
    app.include_router(password_page.router)
    app.include_router(report_sheet.router)
    app.include_router(week_sheet.router)
    app.include_router(respond.router)
    app.include_router(feeds.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")

    add_health(app, vitals, include_in_schema=False)
    pages.mount(desk)
    ui.run_with(
        app,
        title="cityops",
        favicon=STATIC / "icon.svg",
        tailwind=False,
        language="zh-CN",
        reconnect_timeout=RECONNECT_S,
    )
    return app
