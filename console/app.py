"""One application: the API under ``/api``, the pages of NiceGUI, the login form."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from nicegui import ui
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console import api, login, pages, problems, respond
from console.auth import Desk
from console.live import Live
from console.settings import ConsoleSettings
from service.clock import SystemClock
from service.postgres import pool
from service.vitals import Vitals
from service.web import add_health

POOL = 8
STATIC = Path(__file__).with_name("static")
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class SecurityHeaders:
    """Adds ``HEADERS`` to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and complete its answer."""

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self._app(scope, receive, complete)


def build_app(settings: ConsoleSettings, vitals: Vitals) -> FastAPI:
    """Return the application; NiceGUI allows one per process."""
    clock = SystemClock()
    live = Live(settings.database(), clock)
    desk = Desk(settings, pool(settings.database(), "console", size=POOL), clock, live)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        stop = threading.Event()
        reader = threading.Thread(target=live.run, args=(stop, vitals.trouble), name="live")
        reader.start()
        with desk.pool:
            yield
        stop.set()
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
    app.add_middleware(SecurityHeaders)
    problems.install(app)
    api.mount(app)
    problems.refuse_unknown_paths(app)
    app.include_router(login.router)
    app.include_router(respond.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")

    add_health(app, vitals, include_in_schema=False)
    pages.mount(desk)
    ui.run_with(app, title="cityops", favicon=STATIC / "icon.svg", tailwind=False, language="zh-CN")
    return app
