"""What a checkpoint says of itself beside its tensors, as JSON."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from msanet_bench.data import Preprocessing
from msanet_bench.overlay import Settings
from msanet_bench.strict import Seed, Spec

Names: TypeAlias = Annotated[tuple[str, ...], Field(strict=False)]
Numbers: TypeAlias = Annotated[tuple[float, ...], Field(strict=False)]


class Stretch(Spec):
    """What some epochs of a run depend on beside the settings: of one code, on one device."""

    code: str
    device: str
    threads: int
    torch: str


class Origin(Spec):
    """The file whose weights a run began with.

    Attributes:
        sha256: Of the file, 16 digits; its name says nothing elsewhere.
        kind: A checkpoint of ours, one of the design article's code, or a state dict with our names.
        redrawn: What was drawn from the seed all the same.
    """

    sha256: str
    kind: Literal["checkpoint", "article", "state_dict"]
    redrawn: Names = ()


class Applied(Spec):
    """The preprocessing of `data.Preprocessing`, as it is kept."""

    size: int | None
    mean: Numbers
    deviation: Numbers


class Card(Spec):
    """Where a checkpoint comes from, how far it is, and what its network must be fed.

    Attributes:
        experiment: The whole resolved experiment.
        key: That of the sweep's cell with the same variant and seed.
        plugins: The names of what must be imported before the network can be built.
        image: Channels, height and width of an image before it is prepared.
        stretches: One, unless the run was resumed with other code or elsewhere.
        curve: A row an epoch, as in a record.
        chosen_epoch: Whose weights the checkpoint has.
        measures: On the test images, as in a record; empty while the run is not at its end.
        determinism: What stands in the way of equal bits.
    """

    schema_version: Literal[1] = 1
    name: str
    experiment: Mapping[str, Any]
    variant: str
    factors: Mapping[str, Any]
    settings: Settings
    seed: Seed
    key: str
    data_digest: str
    plugins: Names
    classes: Names
    image: Annotated[tuple[int, int, int], Field(strict=False)]
    preprocessing: Applied
    init: Origin | None
    stretches: Annotated[tuple[Stretch, ...], Field(strict=False, min_length=1)]
    curve: Annotated[tuple[Mapping[str, int | float], ...], Field(strict=False)] = ()
    chosen_epoch: int = 0
    measures: Mapping[str, Mapping[str, Any]] = {}
    determinism: Names = ()

    @property
    def is_finished(self) -> bool:
        return bool(self.measures)

    @property
    def epochs(self) -> int:
        """How many have run."""
        return len(self.curve)

    @property
    def network_image(self) -> tuple[int, int, int]:
        """Channels, height and width of what the network sees."""
        channels, height, width = self.image
        size = self.preprocessing.size
        return (channels, height, width) if size is None else (channels, size, size)

    def prepared_by(self) -> Preprocessing:
        """What is done to every image."""
        kept = self.preprocessing
        return Preprocessing(kept.size, kept.mean, kept.deviation)
