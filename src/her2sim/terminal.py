"""What every command needs: messages, progress, tables and JSON on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from her2sim.notice import NOTICE

if TYPE_CHECKING:
    from rich.table import Table

    from her2sim.api.result import Answer

QUIET_SECONDS = 0.8


@contextmanager
def progress_bar(text: str, of: str = "patients") -> Iterator[Callable[[int, int], None]]:
    """Progress on the error stream for anything over a second; nothing if not a terminal.

    It shows that work goes on before the first of it is done: nobody has to wait for a number.
    """
    from threading import Timer

    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(of),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    task = bar.add_task(text, total=None)
    begin = Timer(QUIET_SECONDS, bar.start)
    begin.daemon = True
    begin.start()
    try:
        yield lambda done, total: bar.update(task, completed=done, total=total)
    finally:
        begin.cancel()
        begin.join()
        bar.stop()


def print_json(content: Any) -> None:
    """Print JSON; a number that is not finite becomes null."""
    import json

    from her2sim.api.result import plain

    click.echo(json.dumps(plain(content), indent=2, allow_nan=False))


def print_tables(*tables: Any) -> None:
    """Print rich tables on the standard output."""
    from rich.console import Console

    console = Console()
    wide = Console(width=160) if not console.is_terminal else console
    for table in tables:
        wide.print(table)


def show(
    answer: Answer,
    as_json: bool,
    *,
    tables: Sequence[Table] | None = None,
    figure: Path | None = None,
    **written: Path | None,
) -> None:
    """Print an answer as tables (its own, or these) or JSON; write its figure.

    What else was written is named below.
    """
    from her2sim.api.result import Result

    if figure is not None and isinstance(answer, Result):
        from her2sim.report.canvas import write_figure

        write_figure(figure, answer.plot())
    if as_json:
        print_json(answer.as_dict())
        return
    click.echo(answer.heading())
    print_tables(*(answer.tables() if tables is None else tables))
    for note in answer.notes:
        click.echo(f"Note: {note}")
    for path in (figure, *written.values()):
        if path is not None:
            click.echo(f"wrote {path}")
    click.echo(NOTICE)
