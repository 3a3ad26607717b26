"""Commands that tell everything that is wrong with what they were given, in one message."""

from __future__ import annotations

import errno
import functools
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

import click

from her2sim.cli.kinds import Text, near
from her2sim.cli.reading import Reading, examined, message_of, place_faults, shown
from her2sim.errors import Her2SimError, did_you_mean, reason

BAD_INPUT, OWN_FAULT, INTERRUPTED, TERMINATED = 2, 70, 130, 143
LATEST_SECONDS = 1.5
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


class Refused(click.ClickException):
    """What was given cannot be used."""

    exit_code = BAD_INPUT

    def show(self, file: Any = None) -> None:
        """Write the message on the error stream."""
        click.echo(f"her2sim: {self.message}", err=True)


class Terminated(BaseException):
    """Somebody asked the program to end (SIGTERM)."""


class Group(click.Group):
    """A group of commands that suggests the nearest one."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the program; what could not be printed is said, and ends with exit code 2."""
        try:
            try:
                return super().main(*args, **kwargs)
            finally:
                sys.stdout.flush()
        except OSError as error:
            if error.errno not in FULL:
                raise
            click.echo(f"her2sim: the output cannot be written ({reason(error)})", err=True)
            with suppress(OSError):
                sys.stdout.close()
            os._exit(BAD_INPUT)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is meant.

        Raises
        ------
        Refused
            If there is no such command.
        """
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            known = did_you_mean(args[0], self.list_commands(ctx))
            raise Refused(f"no command {shown(args[0])}{known}") from None

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """What comes before the command.

        Raises
        ------
        Refused
            If there is no such option.
        """
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            known = near(error.option_name, [o for p in self.get_params(ctx) for o in p.opts])
            raise Refused(f"{error.option_name}: no such option before a command{known}") from None


class Command(click.Command):
    """A command whose options are all read before the first fault is told."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for parameter in self.params:
            if parameter.type is click.STRING:
                parameter.type = Text()

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Values of all options and arguments, in ``ctx.params``.

        Raises
        ------
        Refused
            With every fault of every option, argument and file.
        """
        read = Reading(self, ctx)
        given, rest = read.words(list(args))
        values = read.values(given)
        if rest and not read.has_strange_words:
            read.faults.append(
                f"{', '.join(map(shown, rest))}: one word too many; nothing reads it"
            )
        read.faults += place_faults(self, values)
        if read.faults:
            raise Refused(message_of(ctx, [*read.faults, *examined(self, values)]))
        ctx.params.update(values)
        ctx.args = []
        return []

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; her2sim's errors end with exit code 2, Ctrl-C with 130.

        Raises
        ------
        Refused
            With what the command refused, and what else is wrong.
        """
        try:
            with _signals_told(ctx):
                return super().invoke(ctx)
        except Her2SimError as error:
            refused = list(error.parts or (str(error),))
            told = [*refused, *(f for f in examined(self, ctx.params) if f not in refused)]
            raise Refused(message_of(ctx, told)) from None
        except MemoryError:
            raise Refused(
                "not enough memory; ask for fewer patients, replicates or weeks"
            ) from None
        except KeyboardInterrupt:
            _stopped(INTERRUPTED, ctx)
        except Terminated:
            _stopped(TERMINATED, ctx)
        except BrokenPipeError:
            sys.stderr.close()
            sys.exit(0)
        except OSError as error:
            if error.filename is not None or error.errno not in FULL:
                raise
            raise Refused(f"the output cannot be written ({reason(error)})") from None
        except (click.exceptions.Exit, click.ClickException, click.Abort):
            raise
        except Exception as error:
            if os.environ.get("HER2SIM_TRACEBACK"):
                raise
            click.echo(_own_fault(error), err=True)
            sys.exit(OWN_FAULT)


command = functools.partial(click.command, cls=Command)


def _own_fault(error: Exception) -> str:
    """What is said of an error that nobody foresaw."""
    return (
        f"her2sim: a fault of the program, not of your input ({type(error).__name__}: {error}). "
        "Please report it with the command and its files; HER2SIM_TRACEBACK=1 shows where it was."
    )


@contextmanager
def _signals_told(ctx: click.Context) -> Iterator[None]:
    """While a command runs, SIGTERM and Ctrl-C end it.

    Both raise an exception. A library may catch it, or not give control back for long: her2sim's
    own process then ends ``LATEST_SECONDS`` later all the same.
    """

    def on_signal(number: int, _: object) -> None:
        stopped = {signal.SIGTERM: Terminated, signal.SIGINT: KeyboardInterrupt}[
            signal.Signals(number)
        ]
        if _is_own_process():
            code = TERMINATED if stopped is Terminated else INTERRUPTED
            late = threading.Timer(LATEST_SECONDS, _stopped, [code, ctx])
            late.daemon = True
            late.start()
        raise stopped

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    taken = [signal.SIGTERM]
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not ignored by a shell
        taken.append(signal.SIGINT)
    before = {number: signal.signal(number, on_signal) for number in taken}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_own_process() -> bool:
    """Whether the process is her2sim's own, and no notebook or program that calls a command.

    Its own ends by its code at once: Python would end by the signal itself where that came while
    something was compiled on import.
    """
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    name = "" if spec is None else spec.name
    return name == "her2sim.__main__" or Path(sys.argv[0]).stem == "her2sim"


def _stopped(code: int, ctx: click.Context) -> NoReturn:
    """Say that the run was stopped, and end: threads that compute are not waited for."""
    kept = [p for p in ctx.command.params if "-o" in p.opts and ctx.params.get(p.name or "")]
    text = "; finished chunks of -o are kept for the next run" if kept else ""
    click.echo(f"her2sim: stopped{text}", err=True)
    if threading.active_count() > 1 or _is_own_process():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
