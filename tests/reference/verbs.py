"""docs/reference/verbs.md: what `msanet-bench VERB --help` says, as tables."""

import inspect
import re
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from typer.models import ArgumentInfo, OptionInfo

from msanet_bench.cli import VERBS
from msanet_bench.gfm import marked
from reference.words import page, shown, table

_INTRODUCTION = (
    "The same as `msanet-bench VERB --help`. A problem that you can mend is one message and exit code 2; "
    "Ctrl-C gives 130."
)


class Parameter(NamedTuple):
    """An argument or option of a verb, as its function declares it."""

    names: tuple[str, ...]
    kind: Any
    info: ArgumentInfo | OptionInfo
    default: Any

    @property
    def is_argument(self) -> bool:
        return isinstance(self.info, ArgumentInfo)

    @property
    def is_several(self) -> bool:
        return any(get_origin(kind) is list for kind in (self.kind, *get_args(self.kind)))


def verbs_page() -> str:
    names = [verb.__name__ for verb in VERBS]
    index = ", ".join(f"[{name}](#{name})" for name in names)
    return page("Verbs", _INTRODUCTION, index, *map(_verb, VERBS))


def parameters_of(verb: Callable[..., None]) -> Iterator[Parameter]:
    hints = get_type_hints(verb, include_extras=True)
    for name, parameter in inspect.signature(verb).parameters.items():
        kind, info = get_args(hints[name])
        # of `Annotated[..., typer.Option("--out", "-o")]` Typer keeps the first as its default
        first = (info.default,) if isinstance(info.default, str) else ()
        names = (*first, *(info.param_decls or ())) or (f"--{name.replace('_', '-')}",)
        if isinstance(info, ArgumentInfo):
            metavar = (info.metavar or name.upper()).rstrip(".")
            names = (f"{metavar}..." if get_origin(kind) is list else metavar,)
        yield Parameter(tuple(names), kind, info, parameter.default)


def _verb(verb: Callable[..., None]) -> str:
    parameters = list(parameters_of(verb))
    arguments = [each.names[0] for each in parameters if each.is_argument]
    options = [] if len(arguments) == len(parameters) else ["[OPTIONS]"]
    usage = " ".join(["msanet-bench", verb.__name__, *options, *arguments])
    paragraphs = re.split(r"\n\s*\n", inspect.getdoc(verb) or "")
    grids = [table(["argument or option", "value", "default", "meaning"], map(_row, parameters))]
    return "\n\n".join(
        [f"## {verb.__name__}", f"`{usage}`", *map(marked, paragraphs), *grids[: len(parameters)]]
    )


def _row(parameter: Parameter) -> list[str]:
    info = parameter.info
    help_text = marked(info.help or "")
    if info.envvar:
        help_text += f" Environment variable `{info.envvar}`."
    return [
        ", ".join(f"`{name}`" for name in parameter.names),
        _value(parameter),
        _default(parameter),
        help_text,
    ]


def _value(parameter: Parameter) -> str:
    if parameter.is_argument or parameter.kind is bool:
        return ""
    if get_origin(parameter.kind) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(parameter.kind))
    if inspect.isclass(parameter.kind) and issubclass(parameter.kind, Enum):
        return ", ".join(f"`{choice.value}`" for choice in parameter.kind)
    kinds = [kind for kind in get_args(parameter.kind) if kind is not type(None)] or [parameter.kind]
    words = f"`{parameter.info.metavar or _KINDS[kinds[0]]}`"
    return f"{words}, repeated" if parameter.is_several else words


_KINDS = {int: "INTEGER", float: "NUMBER", str: "TEXT", Path: "PATH"}


def _default(parameter: Parameter) -> str:
    default = parameter.default
    if default is inspect.Parameter.empty:
        return "required"
    if default in (None, "", False):
        return ""
    return shown(default.value if isinstance(default, Enum) else default)
