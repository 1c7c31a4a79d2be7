"""One application: the API under ``/api``, the pages of NiceGUI, the login form."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from nicegui import ui

from console import api, edge, login, pages, problems, respond
from console.auth import Desk
from console.live import Live
from console.settings import ConsoleSettings
from service.clock import SystemClock
from service.postgres import pool
from service.vitals import Vitals
from service.web import add_health

POOL = 8
STATIC = Path(__file__).with_name("static")


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
    edge.install(app)
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
