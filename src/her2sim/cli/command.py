"""Commands that tell everything that is wrong with what they were given, in one message."""

from __future__ import annotations

import errno
import functools
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import click
from click.parser import _OptionParser

from her2sim.cli.kinds import Output, Text, near
from her2sim.errors import Faults, Her2SimError, did_you_mean, reason

BAD_INPUT, OWN_FAULT, INTERRUPTED, TERMINATED = 2, 70, 130, 143
LONGEST_SHOWN = 60
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
            raise Refused(f"no command {_shown(args[0])}{known}") from None

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
        read = _Reading(self, ctx)
        given, rest = read.words(list(args))
        values = read.values(given)
        if rest and not read.has_strange_words:
            read.faults.append(
                f"{', '.join(map(_shown, rest))}: one word too many; nothing reads it"
            )
        read.faults += _place_faults(self, values)
        if read.faults:
            raise Refused(_message(ctx, [*read.faults, *_examined(self, values)]))
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
        is_main = threading.current_thread() is threading.main_thread()
        before = signal.signal(signal.SIGTERM, _on_terminate) if is_main else None
        try:
            return super().invoke(ctx)
        except Her2SimError as error:
            refused = list(error.parts or (str(error),))
            told = [*refused, *(f for f in _examined(self, ctx.params) if f not in refused)]
            raise Refused(_message(ctx, told)) from None
        except MemoryError:
            raise Refused(
                "not enough memory; ask for fewer patients, replicates or weeks"
            ) from None
        except KeyboardInterrupt:
            _stopped(INTERRUPTED)
        except Terminated:
            _stopped(TERMINATED)
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
        finally:
            if is_main:
                signal.signal(signal.SIGTERM, before)


command = functools.partial(click.command, cls=Command)


class _Reading:
    """Reads the words of a command line, collecting faults."""

    def __init__(self, of: click.Command, ctx: click.Context) -> None:
        self.command, self.ctx = of, ctx
        self.faults: list[str] = []
        self.has_strange_words = False

    def words(self, args: list[str]) -> tuple[Mapping[str, Any], list[str]]:
        """Texts by parameter, and the words that belong to none."""
        while True:
            parser: _OptionParser = self.command.make_parser(self.ctx)
            try:
                given, rest, order = parser.parse_args(list(args))
            except click.NoSuchOption as error:
                args = self._without(args, error.option_name)
            except click.BadOptionUsage as error:
                self.has_strange_words = True
                takes = "needs a value" if "requires" in error.message else "takes no value"
                self.faults.append(f"{error.option_name}: {takes}")
                at = next(i for i, word in enumerate(args) if _is_option(word, error.option_name))
                args = args[:at] + args[at + 1 :]
            else:
                break
        for parameter, times in Counter(map(id, order)).items():
            option = next(p for p in order if id(p) == parameter)
            if times > 1 and isinstance(option, click.Option) and not option.multiple:
                self.faults.append(f"{option.opts[-1]}: given {times} times; give it once")
        return given, rest

    def _without(self, args: list[str], strange: str) -> list[str]:
        """The words without an option that there is not, and its value."""
        self.has_strange_words = True
        options = [p for p in self.command.get_params(self.ctx) if isinstance(p, click.Option)]
        known = near(strange, [name for option in options for name in option.opts])
        self.faults.append(f"{_shown(strange)}: no such option{known}")
        at = next(i for i, word in enumerate(args) if _is_option(word, strange))
        meant = [o for o in options if any(repr(name) in known for name in o.opts)]
        follows = args[at + 1 : at + 2]
        has_value = (
            "=" not in args[at] and follows and not follows[0].startswith("-")
            and not any(option.is_flag for option in meant)
        )  # fmt: skip
        return args[:at] + args[at + 1 + bool(has_value) :]

    def values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Values of the parameters whose texts can be read."""
        found: dict[str, Any] = {}
        parameters = self.command.get_params(self.ctx)
        for parameter in sorted(parameters, key=lambda p: not p.is_eager):
            name = str(parameter.name)
            try:
                parameter.handle_parse_result(self.ctx, given, [])
            except click.MissingParameter:
                if not self.has_strange_words or isinstance(parameter, click.Option):
                    self.faults.append(f"{_called(parameter)}: is missing{_help(parameter)}")
            except click.BadParameter as error:
                text = given.get(name)
                self.faults.append(f"{_called(parameter)} {_shown(text)}: {error.message}")
            else:
                if parameter.expose_value:
                    value = self.ctx.params[name]
                    found[name] = None if _is_unset(value) else value
        return found


def _is_unset(value: object) -> bool:
    """Whether click marks a parameter as not given."""
    return type(value).__name__ == "Sentinel"


def _is_option(word: str, name: str) -> bool:
    return word == name or word.startswith((f"{name}=", name) if name[:2] != "--" else f"{name}=")


def _called(parameter: click.Parameter) -> str:
    """Name of an option or an argument as it is shown in the help."""
    if isinstance(parameter, click.Option):
        return max(parameter.opts, key=len)
    return parameter.make_metavar(click.Context(click.Command(""))).strip("[].")


def _help(parameter: click.Parameter) -> str:
    """What is to be given, if the help says it."""
    text = getattr(parameter, "help", None)
    return f"; give a {text}" if text and text.startswith("named") else ""


def _shown(text: object) -> str:
    """A text in a few letters; in quotes where it is empty or has spaces."""
    words = str(text) if isinstance(text, str) else " ".join(map(str, text or ()))  # type: ignore[call-overload]
    short = words if len(words) <= LONGEST_SHOWN else f"{words[:LONGEST_SHOWN]}..."
    return short if short and short.isprintable() and " " not in short else repr(short)


def _as_option(of: click.Command, text: str) -> str:
    """A fault that begins with the name of an option, with the option as it is written."""
    for parameter in of.params:
        if isinstance(parameter, click.Option):
            words = str(parameter.name).replace("_", " ")
            for name in (str(parameter.name), words):
                if text.startswith((f"{name}: ", f"{name} ")):
                    return _called(parameter) + text[len(name) :]
    return text


def _message(ctx: click.Context, told: list[str]) -> str:
    """All faults in one message; the only one as it is."""
    faults = Faults(ctx.command_path.removeprefix("her2sim "))
    unique = list(dict.fromkeys(_as_option(ctx.command, text) for text in told))
    if len(unique) == 1:
        return unique[0]
    faults.add_many((text.replace("\n", "\n  ") for text in unique), len(unique))
    return faults.message()


def _examined(of: click.Command, values: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with single values that the command itself would look at later."""
    for parameter in of.params:
        examine = getattr(parameter.type, "examine", None)
        value = values.get(str(parameter.name))
        if examine is None or value in (None, ()):
            continue
        for one in value if isinstance(value, tuple) else (value,):
            try:
                examine(one, values)
            except Her2SimError as error:
                yield from error.parts or (str(error),)


def _place_faults(of: click.Command, values: Mapping[str, Any]) -> Iterator[str]:
    """What is written must not be what is read, or written twice."""
    read = {p: values.get(str(p.name)) for p in of.params if not isinstance(p.type, Output)}
    inputs = {
        Path(v).resolve(): _called(p) for p, v in read.items()
        if isinstance(v, (str, Path)) and v and _is_file(v)
    }  # fmt: skip
    folders = {
        values[str(p.name)].resolve(): _called(p)
        for p in of.params
        if isinstance(p.type, Output) and p.type.kind == "folder" and values.get(str(p.name))
    }
    seen: dict[Path, str] = {}
    for parameter in of.params:
        path = values.get(str(parameter.name))
        if not isinstance(parameter.type, Output) or path is None:
            continue
        name, place = _called(parameter), path.resolve()
        if place in inputs:
            yield f"{name} {path}: is the input {inputs[place]}; name another file"
        if place in seen:
            yield f"{name} {path}: is {seen[place]} too; name another file"
        folder = folders.get(place.parent)
        if folder is not None and folder != name:
            yield f"{name} {path}: lies in the folder of {folder}; name a place outside it"
        seen[place] = name


def _is_file(value: str | Path) -> bool:
    """Whether a text is the path of a file (a text may be longer than any path)."""
    try:
        return Path(value).is_file()
    except (OSError, ValueError):
        return False


def _own_fault(error: Exception) -> str:
    """What is said of an error that nobody foresaw."""
    return (
        f"her2sim: a fault of the program, not of your input ({type(error).__name__}: {error}). "
        "Please report it with the command and its files; HER2SIM_TRACEBACK=1 shows where it was."
    )


def _on_terminate(*_: object) -> None:
    raise Terminated


def _stopped(code: int) -> NoReturn:
    """Say that the run was stopped, and end: threads that compute are not waited for."""
    text = "her2sim: stopped; finished chunks of -o, if given, are kept for the next run"
    click.echo(text, err=True)
    if threading.active_count() > 1:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
