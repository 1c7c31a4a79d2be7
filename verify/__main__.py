"""``python -m verify``: hold what the platform does against what is true."""

import typer

from service.command import run
from verify.truth.command import truth_command

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Scores of detectors and forecasts. The reference: `python -m verify.oracle`.",
)
app.command("truth")(truth_command)


@app.callback()
def main() -> None:
    """Keep ``truth`` a command of its own."""


if __name__ == "__main__":
    run(app)
