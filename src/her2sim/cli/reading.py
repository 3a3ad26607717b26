"""The words of a command line read to the end, and every fault of them in one message."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from click.parser import _OptionParser

from her2sim.cli.kinds import Output, near
from her2sim.errors import Faults, Her2SimError

LONGEST_SHOWN = 60


class Reading:
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
        self.faults.append(f"{shown(strange)}: no such option{known}")
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
                self.faults.append(f"{_called(parameter)} {shown(text)}: {error.message}")
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


def shown(text: object) -> str:
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


def message_of(ctx: click.Context, told: list[str]) -> str:
    """All faults in one message; the only one as it is."""
    faults = Faults(ctx.command_path.removeprefix("her2sim "))
    unique = list(dict.fromkeys(_as_option(ctx.command, text) for text in told))
    if len(unique) == 1:
        return unique[0]
    faults.add_many((text.replace("\n", "\n  ") for text in unique), len(unique))
    return faults.message()


def examined(of: click.Command, values: Mapping[str, Any]) -> Iterator[str]:
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


def place_faults(of: click.Command, values: Mapping[str, Any]) -> Iterator[str]:
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
