"""A YAML file becomes an Experiment, or a list of everything that is wrong with it.

What may be named (blocks, data sets, their options) comes in as a catalog of registries, so this module
needs neither torch nor the blocks themselves.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from msanet_bench.constraint import Constraint
from msanet_bench.errors import SpecError
from msanet_bench.factor_spec import Factor, TuneSpec
from msanet_bench.factories import factory_modules
from msanet_bench.overlay import BLOCK_SLOTS, PathError, Settings, change_model, changed, is_msanet, is_slot
from msanet_bench.parse_factors import (
    block_problems,
    factor_problems,
    idle_law,
    plan_problems,
    setting_violations,
    variant_problems,
)
from msanet_bench.parse_search import factor_fields, search_problems
from msanet_bench.parse_tune import tune_problems
from msanet_bench.plan import Catalog
from msanet_bench.search_spec import SEARCHES, SearchSpec
from msanet_bench.spec import (
    DESIGNS,
    MOST_SEEDS,
    AnalysisSpec,
    DataSpec,
    Design,
    Experiment,
    MeasureSpec,
    ModelSpec,
    TrainSpec,
)
from msanet_bench.strict import Spec
from msanet_bench.violations import shown, suggestion, violations
from msanet_bench.yaml_document import Document, Path, read_yaml

S = TypeVar("S", bound=Spec)


def parse_experiment(text: str, *, source: str, name: str, catalog: Catalog) -> Experiment:
    """The experiment that a file describes; `name` is used when the file gives none.

    Raises:
        SpecError: the file breaks rules; holds every one of them with its line.
    """
    document = read_yaml(text)
    if not isinstance(document.tree, dict):
        law = document.problem((), "an experiment must be a mapping of keys.")
        raise SpecError(source, document.problems or [law])
    parser = _Parser(document, catalog)
    experiment = parser.experiment(name)
    if experiment is not None and not parser.problems:
        parser.problems += plan_problems(document, experiment, catalog)
    if parser.problems or experiment is None:
        # what was found first at a place is the cause of what was found there later
        raise SpecError(source, {(p.line, p.path): p for p in reversed(parser.problems)}.values())
    return experiment


class _Parser:
    """Reads one document section by section and collects what is wrong on the way."""

    def __init__(self, document: Document, catalog: Catalog) -> None:
        self.document = document
        self.catalog = catalog
        self.problems = list(document.problems)

    def experiment(self, default_name: str) -> Experiment | None:
        tree: dict[str, Any] = self.document.tree
        base = Settings(
            model=self._baseline(tree.get("baseline")),
            data=self._section(DataSpec, "data"),
            train=self._section(TrainSpec, "train"),
        )
        factors = self._factors(tree.get("factors"))
        variants = self._variants(tree.get("variants"))
        design = self._design(variants)
        constraints = self._constraints(tree.get("constraints"))
        search = self._section(SearchSpec, "search") if design in SEARCHES else None
        tune = self._tune(tree["tune"]) if "tune" in tree else None
        fields = {
            "name": default_name,
            **tree,
            "baseline": base.model,
            "data": base.data,
            "train": base.train,
            "measure": self._section(MeasureSpec, "measure"),
            "analysis": self._section(AnalysisSpec, "analysis"),
            "seeds": self._seeds(tree.get("seeds", 3)),
            "factors": factors,
            "variants": variants,
            "constraints": constraints,
            "search": search,
            "tune": tune,
            "plugins": tuple(dict.fromkeys([*self._list("plugins"), *factory_modules(tree)])),
        }
        experiment = self._validated(Experiment, fields, ())
        base = self._with_known_blocks(base)
        self.problems += search_problems(
            self.document, design, search, factors, constraints, base.data, base.train.epochs
        )
        self.problems += variant_problems(self.document, design, variants, base, self.catalog)
        self.problems += factor_problems(self.document, design, factors, base, self.catalog)
        if tune is not None:
            self.problems += tune_problems(self.document, design, tune, factors, variants, base)
        return experiment

    def _design(self, variants: tuple[Mapping[str, Any], ...]) -> Design:
        """The design of the file; a wrong one gives way to a likely one, so that the rest is checked."""
        given = self.document.tree.get("design", "factorial")
        return given if given in DESIGNS else "list" if variants else "factorial"

    def _baseline(self, raw: Any) -> ModelSpec:
        model = ModelSpec()
        for path, value in self._flat_model(raw):
            try:
                model = change_model(model, ".".join(path), value)
            except PathError as error:
                self._add(("baseline", *path, *error.inside), str(error))
        for key in self._mapping(raw, ("baseline",)) if not is_msanet(model) else ():
            if is_slot(key):
                self._add(("baseline", key), idle_law(Settings(model=model), key))
        return model

    def _flat_model(self, raw: Any) -> Iterable[tuple[tuple[str, ...], Any]]:
        for key, value in self._mapping(raw, ("baseline",)).items():
            if key == "branches":
                branches = self._mapping(value, ("baseline", "branches"))
                yield from ((("branches", name), branch) for name, branch in branches.items())
            elif "." in key or key not in ModelSpec.model_fields:
                self._add(("baseline", key), f"unknown key. {suggestion(key, ModelSpec.model_fields)}")
            else:
                yield (key,), value

    def _with_known_blocks(self, base: Settings) -> Settings:
        """Check every block; a wrong one gives way to a right one, so that the factors are still checked."""
        for path, message in setting_violations(base):
            prefix = () if path.startswith("train.") else ("baseline",)
            self._add((*prefix, *path.split(".")), message)
        for part in ["model", *BLOCK_SLOTS, *(f"branches.{name}" for name in base.model.branches)]:
            place = ("baseline", *part.split("."))
            if self._has_problems(base, part, place, place):
                block = "conv" if "." in part else getattr(ModelSpec(), part).block
                base = changed(base, part, {"block": block})
        if self._has_problems(base, "data", ("data", "dataset"), ("data", "options")):
            base = base.model_copy(update={"data": DataSpec()})
        return base

    def _has_problems(self, base: Settings, part: str, block: Path, options: Path) -> bool:
        found = list(block_problems(base, part, self.catalog))
        for option, message in found:
            self._add((*options, option) if option else block, message)
        return bool(found)

    def _factors(self, raw: Any) -> dict[str, Factor]:
        factors = {}
        for path, value in self._mapping(raw, ("factors",)).items():
            place: Path = ("factors", path)
            factor = self._factor(factor_fields(value), place, is_short=not isinstance(value, dict))
            if factor is not None:
                factors[path] = factor
        return factors

    def _tune(self, raw: Any) -> TuneSpec:
        """The section as far as it is right: options, and a path for every other key."""
        content = self._mapping(raw, ("tune",))
        options: dict[str, Any] = {key: content[key] for key in ("trials", "seed") if key in content}
        found = {
            path: self._factor(factor_fields(value), ("tune", path), is_short=not isinstance(value, dict))
            for path, value in content.items()
            if path not in options
        }
        paths = {path: factor for path, factor in found.items() if factor is not None}
        tune = self._validated(TuneSpec, {**options, "paths": paths}, ("tune",))
        return TuneSpec(paths=paths) if tune is None else tune

    def _factor(self, fields: Mapping[str, Any], place: Path, *, is_short: bool) -> Factor | None:
        """The factor, or None; what is wrong with a short one stands at its path, not at a key it has not."""
        try:
            return Factor.model_validate(fields)
        except ValidationError as error:
            for location, message in violations(error, ("levels", "when", "low", "high", "log")):
                inside = location[1:] if is_short or location[:1] == ("range",) else location
                self._add((*place, *inside), message)
            return None

    def _variants(self, raw: Any) -> tuple[Mapping[str, Any], ...]:
        items = self._list("variants") if raw is not None else []
        return tuple(self._mapping(item, ("variants", index)) for index, item in enumerate(items))

    def _constraints(self, raw: Any) -> tuple[Constraint, ...]:
        items = self._list("constraints") if raw is not None else []
        parsed = (
            self._try(Constraint.parse, item, ("constraints", index)) for index, item in enumerate(items)
        )
        return tuple(constraint for constraint in parsed if constraint is not None)

    def _section(self, spec: type[S], key: str) -> S:
        """The section as far as it is right, so that the rest of the file is still checked."""
        content = self._mapping(self.document.tree.get(key), (key,))
        section = self._validated(spec, content, (key,))
        if section is not None:
            return section
        prefix = f"{key}."
        wrong = {p.path.removeprefix(prefix) for p in self.problems if p.path.startswith(prefix)}
        right = {name: value for name, value in content.items() if not any(w.startswith(name) for w in wrong)}
        return spec.model_validate(right)

    def _validated(self, spec: type[S], content: Mapping[str, Any], path: Path) -> S | None:
        try:
            return spec.model_validate(dict(content))
        except ValidationError as error:
            for location, message in violations(error, spec.model_fields):
                self._add((*path, *location), message)
            return None

    def _try(self, read: Callable[[str], Constraint], item: Any, path: Path) -> Constraint | None:
        try:
            return read(str(item))
        except ValueError as error:
            self._add(path, str(error))
            return None

    def _mapping(self, raw: Any, path: Path) -> dict[str, Any]:
        if raw is None:
            return {}
        if not isinstance(raw, dict):
            self._add(path, f"must be a mapping, but got {shown(raw)}.")
            return {}
        return raw

    def _list(self, key: str) -> list[Any]:
        raw = self.document.tree.get(key)
        if raw is not None and not isinstance(raw, list):
            self._add((key,), f"must be a list, but got {shown(raw)}.")
        return raw if isinstance(raw, list) else []

    def _seeds(self, raw: Any) -> tuple[Any, ...]:
        """`3` means the seeds 0, 1, 2; a list names them."""
        if isinstance(raw, list):
            return tuple(raw)
        if isinstance(raw, int) and not isinstance(raw, bool) and 1 <= raw <= MOST_SEEDS:
            return tuple(range(raw))
        law = f"must be a number from 1 to {MOST_SEEDS}, or a list of seeds"
        self._add(("seeds",), f"{law}, but got {shown(raw)}.")
        return (0,)

    def _add(self, path: Path, message: str) -> None:
        self.problems.append(self.document.problem(path, message))
