"""A YAML file becomes claims, or a list of everything that is wrong with it, each with its line."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from msanet_bench.claims.networks import refusal
from msanet_bench.claims.quantities import Range
from msanet_bench.claims.rules import broken_rules, range_of
from msanet_bench.claims.spec import Claim, ClaimsFile, Network
from msanet_bench.errors import BenchError, SpecError
from msanet_bench.strict import Spec
from msanet_bench.violations import shown, suggestion, violations
from msanet_bench.yaml_document import Document, read_yaml
from msanet_bench.yaml_document import Path as Place

S = TypeVar("S", bound=Spec)


@dataclass(frozen=True, slots=True)
class Stated:
    """A claim, where the true value lies if it is true, and its line in the file."""

    claim: Claim
    claimed: Range
    line: int


@dataclass(frozen=True, slots=True)
class Claims:
    """A file in order.

    Attributes:
        source: The file as messages name it.
        results: The folders by the names that the file gives them.
    """

    source: str
    networks: Mapping[str, Network]
    results: Mapping[str, Path]
    stated: tuple[Stated, ...]


def load_claims(file: Path) -> Claims:
    """The claims of a file; folders of results are relative to where it lies.

    Raises:
        SpecError: the file breaks rules, and every one is named with its line.
        BenchError: the file cannot be read.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BenchError(f"{file}: not UTF-8 text ({error.reason} at byte {error.start}).") from error
    except OSError as error:
        raise BenchError(f"{file}: cannot be read ({error.strerror}).") from error
    return parse_claims(text, source=str(file), folder=file.parent)


def parse_claims(text: str, *, source: str, folder: Path) -> Claims:
    """The claims of a text; raises SpecError as `load_claims` does."""
    document = read_yaml(text)
    if not isinstance(document.tree, dict):
        law = document.problem((), "a claims file must be a mapping of keys.")
        raise SpecError(source, document.problems or [law])
    parser = _Parser(document)
    claims = parser.claims(source, folder)
    if parser.problems:
        # what was found first at a place is the cause of what was found there later
        raise SpecError(source, {(p.line, p.path): p for p in reversed(parser.problems)}.values())
    return claims


class _Parser:
    """Reads one document section by section and collects what is wrong on the way."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems = list(document.problems)

    def claims(self, source: str, folder: Path) -> Claims:
        tree: dict[str, Any] = self.document.tree
        for key in tree:
            if key not in ClaimsFile.model_fields:
                self._add((key,), f"unknown key. {suggestion(key, ClaimsFile.model_fields)}")
        networks = self._networks(self._mapping("networks"))
        results = self._results(self._mapping("results"), folder)
        stated = self._stated(tree.get("claims"), networks, results)
        known = {name: network for name, network in networks.items() if network is not None}
        return Claims(source, known, results, stated)

    def _networks(self, raw: Mapping[str, Any]) -> dict[str, Network | None]:
        """None for a network that breaks rules, whose name is known all the same."""
        return {name: self._network(value, ("networks", name)) for name, value in raw.items()}

    def _network(self, raw: Any, place: Place) -> Network | None:
        network = self._validated(Network, raw, place)
        broken = None if network is None else refusal(network, {})
        if broken is None:
            return network
        path, message = broken
        self._add((*place, "model", path) if path in raw.get("model", {}) else place, message)
        return None

    def _results(self, raw: Mapping[str, Any], folder: Path) -> dict[str, Path]:
        found = {}
        for name, path in raw.items():
            found[name] = folder / str(path)
            if not isinstance(path, str):
                self._add(("results", name), f"must be the path of a results folder, but got {shown(path)}.")
            elif not found[name].is_dir():
                law = f"must be a results folder, but there is no folder {found[name]}"
                self._add(("results", name), f"{law}. Sweep the experiment, or name another one.")
        return found

    def _stated(
        self, raw: Any, networks: Mapping[str, Network | None], results: Mapping[str, Path]
    ) -> tuple[Stated, ...]:
        if not isinstance(raw, list) or not raw:
            self._add(("claims",), f"must be a list of claims, but got {shown(raw)}.")
            return ()
        stated = []
        names: dict[str, int] = {}
        for index, given in enumerate(raw):
            place: Place = ("claims", index)
            claim = self._validated(Claim, given, place)
            if claim is None:
                continue
            first = names.get(claim.name)
            names.setdefault(claim.name, self.document.line(place))
            if first is not None:
                self._add((*place, "name"), f"stands twice; first in line {first}. Give one another name.")
            broken = list(broken_rules(claim, given, networks, results))
            for inside, message in broken:
                self._add((*place, *inside), message)
            if not broken:
                stated.append(Stated(claim, range_of(claim), self.document.line(place)))
        return tuple(stated)

    def _validated(self, spec: type[S], content: Any, place: Place) -> S | None:
        if not isinstance(content, dict):
            self._add(place, f"must be a mapping, but got {shown(content)}.")
            return None
        try:
            return spec.model_validate(content)
        except ValidationError as error:
            for location, message in violations(error, spec.model_fields):
                self._add((*place, *location), message)
            return None

    def _mapping(self, key: str) -> dict[str, Any]:
        raw = self.document.tree.get(key)
        if raw is not None and not isinstance(raw, dict):
            self._add((key,), f"must be a mapping, but got {shown(raw)}.")
        return raw if isinstance(raw, dict) else {}

    def _add(self, place: Place, message: str) -> None:
        self.problems.append(self.document.problem(place, message))
