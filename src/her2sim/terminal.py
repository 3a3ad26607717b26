"""What every command needs: messages, progress, tables and JSON on a terminal."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from her2sim.errors import DataError, Faults, Her2SimError, did_you_mean
from her2sim.notice import NOTICE
from her2sim.store.files import require_figure, require_target

if TYPE_CHECKING:
    from rich.table import Table

    from her2sim.api.result import Answer

F = TypeVar("F", bound=Callable[..., Any])
BAD_INPUT, INTERRUPTED = 2, 130
QUIET_SECONDS = 2.0


class HelpfulGroup(click.Group):
    """A group that suggests the nearest command."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            known = did_you_mean(args[0], self.list_commands(ctx))
            raise click.UsageError(f"no command {args[0]!r}{known}", ctx) from None


def reports_errors(function: F) -> F:
    """Turn her2sim's errors into one message and exit code 2, Ctrl-C into 130."""

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            _require_places(kwargs)
            return function(*args, **kwargs)
        except Her2SimError as error:
            click.echo(f"her2sim: {error}", err=True)
            sys.exit(BAD_INPUT)
        except KeyboardInterrupt:
            click.echo(
                "her2sim: stopped; finished chunks of -o, if given, are kept for the next run",
                err=True,
            )
            sys.exit(INTERRUPTED)
        except BrokenPipeError:
            sys.stderr.close()
            sys.exit(0)

    return wrapped  # type: ignore[return-value]


OUTPUTS = ("figure", "html", "markdown", "output", "doses", "rows", "folder")
"""Options that name what is written."""


def _require_places(told: dict[str, Any]) -> None:
    """Refuse places that cannot be written to, or that are an input or another output.

    Raises
    ------
    DataError
        With all faults, before anything is run.
    """
    faults = Faults("where to write")
    written = {name: told[name] for name in OUTPUTS if isinstance(told.get(name), Path)}
    read = {n: v for n, v in told.items() if n not in written and isinstance(v, (str, Path))}
    seen: dict[Path, str] = {}
    for name, path in written.items():
        try:
            if name == "figure":
                require_figure(path)
            elif name != "folder":
                require_target(path)
        except DataError as error:
            faults.add(f"--{name} {error}")
            continue
        place = path.resolve()
        for other, value in read.items():
            if _is_file(value) and Path(value).resolve() == place:
                faults.add(f"--{name} {path}: is the input {other}; name another file")
        if place in seen:
            faults.add(f"--{name} {path}: is --{seen[place]} too; name another file")
        seen[place] = name
    faults.raise_if_any(DataError)


def _is_file(value: str | Path) -> bool:
    """Whether a text is the path of a file (a text may be longer than any path)."""
    try:
        return Path(value).is_file()
    except (OSError, ValueError):
        return False


def treats_patients(function: F) -> F:
    """What is given (DRUG, --regimen), and to whom."""
    options = (
        click.argument("drug"),
        click.option("--regimen", help="regimen of the label: q3w, qw, bid [the drug's first]"),
        chooses_patients,
    )
    return _with_options(function, options)


def chooses_patients(function: F) -> F:
    """To whom a regimen is given: --population, --patients, --seed, --threads."""
    who = "mbc, ebc, agc, mcrc, healthy; or your population.toml, or patients.csv"
    options = (
        click.option("--population", default="mbc", show_default=True, help=who),
        click.option("--patients", type=int, help="number of patients [10000, or all of a table]"),
        click.option("--seed", type=int, help="random seed; drawn and shown if not given"),
        click.option("--threads", type=click.IntRange(1), help="threads [all cores]"),
    )
    return _with_options(function, options)


def chooses_setting(function: F) -> F:
    """--setting, where it is not that of the population."""
    told = "of the patients [that of the population; metastatic for a table]"
    kinds = click.Choice(["early", "metastatic"])
    return _with_options(function, (click.option("--setting", type=kinds, help=told),))


def _with_options(function: F, options: Sequence[Callable[[F], F]]) -> F:
    for option in reversed(options):
        function = option(function)
    return function


@contextmanager
def progress_bar(text: str) -> Iterator[Callable[[int, int], None]]:
    """Progress on the error stream for anything over two seconds; nothing if not a terminal."""
    import time

    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("patients"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    task = bar.add_task(text, total=None)
    start = time.monotonic()

    def update(done: int, total: int) -> None:
        if time.monotonic() - start > QUIET_SECONDS and not bar.live.is_started:
            bar.start()
        bar.update(task, completed=done, total=total)

    try:
        yield update
    finally:
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
