"""Look at what a chart has drawn."""

from playwright.sync_api import Page

LINE = 0x1F6F9F
RED = 0xE0322F
ORANGE = 0xFF9830
NEAR = 24
"""Edges are blended with the ground, so colours count that differ by less, per channel."""


def assert_drawn(page: Page, *colours: int, chart: str = ".chart") -> None:
    """Wait until the chart shows these colours: its line, its limits."""
    page.wait_for_function(
        """([wanted, near, chart]) => {
        const c = document.querySelector(chart + " canvas");
        if (!c) return false;
        const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
        const parts = [16, 8, 0];
        const like = (i, x) => parts.every((s, n) => Math.abs(d[i + n] - ((x >> s) & 255)) < near);
        const found = new Set();
        for (let i = 0; i < d.length; i += 4) for (const x of wanted) if (like(i, x)) found.add(x);
        return found.size === wanted.length; }""",
        arg=[list(colours), NEAR, chart],
    )
