"""Names that a YAML file may use, and what may be set under each name.

    @ATTENTION.register("eca")
    class ECA(nn.Module):
        def __init__(self, channels: int, *, gamma: float = 2.0, b: float = 1.0) -> None: ...

Positional arguments come from the network. Keyword-only arguments are exactly what YAML may set: each has
a type and a default, and both are checked before anything is built.
"""

import inspect
import re
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from msanet_bench.violations import suggestion, violations

T = TypeVar("T", bound=Callable[..., Any])

# `heads: Annotated[int, LATER] = 1` marks an option that came after results with this entry were published:
# at its default it is left out of the resolved options, so that the keys of those results stand
LATER = "later"


class Option(NamedTuple):
    """A keyword-only argument of a registered entry."""

    annotation: Any
    default: Any


class OptionProblem(NamedTuple):
    """What is wrong with an entry's options; `option` is None when the entry as a whole is wrong."""

    option: str | None
    message: str


class Registry(Generic[T]):
    """The entries of one slot, by name.

    Args:
        slot: What the entries are, for messages: "attention", "branches", "data".
        probe: Builds a small example of an entry from its options, so that values the entry refuses
            (ValueError) are known before a network is built.
    """

    def __init__(self, slot: str, *, probe: Callable[[T, Mapping[str, Any]], object] | None = None) -> None:
        self.slot = slot
        self._probe = probe
        self._entries: dict[str, T] = {}
        self._families: dict[str, Callable[[str], T]] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """Decorate a class or function so that YAML can name it."""

        def enter(entry: T) -> T:
            if name in self._entries:
                first, second = _where(self._entries[name]), _where(entry)
                raise ValueError(f"{self.slot} `{name}` is registered twice: in {first} and in {second}.")
            for option, parameter in _keyword_only(entry).items():
                if parameter.default is inspect.Parameter.empty:
                    raise TypeError(f"{self.slot} `{name}`: option `{option}` needs a default.")
            self._entries[name] = entry
            return entry

        return enter

    def register_family(self, prefix: str) -> Callable[[Callable[[str], T]], Callable[[str], T]]:
        """Decorate a function that finds the entry of any name with this prefix, which it is given.

        The prefix is a regular expression; of those that match, the longest counts.

        It raises LookupError with a message for the user where there is none.
        """

        def enter(find: Callable[[str], T]) -> Callable[[str], T]:
            self._families[prefix] = find
            return find

        return enter

    @property
    def families(self) -> Mapping[str, Callable[[str], T]]:
        """What finds the entries that are not listed, by the prefix of their names."""
        return self._families

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __getitem__(self, name: str) -> T:
        family = self._family_of(name)
        return self._entries[name] if family is None else family(name)

    def options(self, name: str) -> dict[str, Option]:
        """What YAML may set for this entry, in the order of its signature."""
        entry = self[name]
        function = entry.__init__ if inspect.isclass(entry) else entry
        hints = typing.get_type_hints(function, include_extras=True)
        return {
            option: Option(hints[option], parameter.default)
            for option, parameter in _keyword_only(entry).items()
        }

    def resolve(self, name: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options with every default filled in, by name; `1` for a float is 1.0. See also `LATER`."""
        known = self.options(name)
        given = {
            option: _validated(known[option], value) if option in known else value
            for option, value in options.items()
        }
        found = {option: default for option, (_, default) in known.items()} | given
        later = {
            o for o, (annotation, _) in known.items() if LATER in getattr(annotation, "__metadata__", ())
        }
        return {o: found[o] for o in sorted(found) if not (o in later and found[o] == known[o].default)}

    def problems(self, name: str, options: Mapping[str, Any]) -> Iterator[OptionProblem]:
        """Everything wrong with naming this entry with these options."""
        try:
            self[name]
        except KeyError:
            yield OptionProblem(None, f"unknown {self.slot} entry `{name}`. {suggestion(name, self)}")
            return
        except LookupError as error:
            yield OptionProblem(None, str(error))
            return
        known = self.options(name)
        found = list(_option_problems(name, known, options))
        yield from found
        if not found and self._probe is not None:
            try:
                self._probe(self[name], self.resolve(name, options))
            except ValueError as error:
                yield OptionProblem(_option_named_in(str(error), known), str(error))
            except (TypeError, ArithmeticError, RuntimeError) as error:
                reason = f"{type(error).__name__}: {error}".splitlines()[0]
                yield OptionProblem(None, f"`{name}` cannot be built with {dict(options)} ({reason}).")

    def _family_of(self, name: str) -> Callable[[str], T] | None:
        found = [prefix for prefix in self._families if re.match(prefix, name)]
        return self._families[max(found, key=len)] if found else None


def _keyword_only(entry: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    parameters = inspect.signature(entry).parameters
    return {name: p for name, p in parameters.items() if p.kind is inspect.Parameter.KEYWORD_ONLY}


def _option_problems(
    name: str, known: Mapping[str, Option], options: Mapping[str, Any]
) -> Iterator[OptionProblem]:
    for option, value in options.items():
        if option not in known:
            yield OptionProblem(option, f"unknown option of '{name}'. {suggestion(option, known)}")
            continue
        try:
            _validated(known[option], value)
        except ValidationError as error:
            yield OptionProblem(option, next(violations(error)).message)


def _validated(option: Option, value: Any) -> Any:
    adapter = TypeAdapter(option.annotation, config=ConfigDict(strict=True, allow_inf_nan=False))
    return adapter.validate_python(value)


def _option_named_in(message: str, known: Mapping[str, Option]) -> str | None:
    return next((option for option in known if f"`{option}`" in message), None)


def _where(entry: Callable[..., Any]) -> str:
    return f"{entry.__module__}.{entry.__qualname__}"
