"""The seed's split: stratified, disjoint, dependent on seed and replicate alone."""

import numpy as np
import pytest

from msanet_bench.data import Dataset, Part, assemble, split
from msanet_bench.data.splits import proportional_quotas, shuffled
from msanet_bench.errors import DataError
from msanet_bench.spec import DataSpec

SIZES = (50, 30, 20)


def _dataset(sizes: tuple[int, ...] = SIZES, *, validation: bool = False) -> Dataset:
    labels = np.repeat(np.arange(len(sizes), dtype=np.int64), sizes)
    train = Part(np.zeros((len(labels), 1, 4, 4), np.uint8), labels)
    few = Part(train.images[:4], labels[:4])
    return assemble(train, few, [f"class{k}" for k in range(len(sizes))], few if validation else None)


def _counts(dataset: Dataset, rows: np.ndarray) -> list[int]:
    counts: list[int] = np.bincount(dataset.train_labels[rows], minlength=len(dataset.classes)).tolist()
    return counts


def test_both_draws_keep_the_shares_of_the_classes() -> None:
    dataset = _dataset()
    drawn = split(dataset, DataSpec(validation=0.1, train_images=45), seed=0)
    # by hand: 10 % of 50, 30, 20; then half of the 45, 27, 18 that are left, where 22.5 and 13.5 have
    # equal remainders and one image is missing: the first class gets it
    assert _counts(dataset, drawn.validation) == [5, 3, 2]
    assert _counts(dataset, drawn.train) == [23, 13, 9]


@pytest.mark.parametrize(
    ("sizes", "count", "quotas"),
    [
        ((50, 30, 20), 10, [5, 3, 2]),
        ((7, 2, 1), 5, [4, 1, 0]),  # 3.5, 1.0, 0.5: one is missing, the lower class number comes first
        ((6, 3, 1), 4, [3, 1, 0]),  # 2.4, 1.2, 0.4: 0.4 twice, the lower class number comes first
        ((5, 4, 1), 7, [3, 3, 1]),  # 3.5, 2.8, 0.7: the largest remainders are 0.8 and 0.7
        ((3, 3, 3), 9, [3, 3, 3]),
    ],
)
def test_quotas_are_shares_with_the_largest_remainders_rounded_up(
    sizes: tuple[int, ...], count: int, quotas: list[int]
) -> None:
    labels = np.repeat(np.arange(len(sizes), dtype=np.int64), sizes)
    assert list(proportional_quotas(labels, count).values()) == quotas


@pytest.mark.parametrize("seed", range(5))
def test_train_and_validation_are_disjoint_and_together_all(seed: int) -> None:
    drawn = split(_dataset(), DataSpec(validation=0.2), seed)
    assert np.intersect1d(drawn.train, drawn.validation).size == 0
    assert np.array_equal(np.union1d(drawn.train, drawn.validation), np.arange(100))
    assert len(drawn.validation) == 20


def test_the_split_depends_on_seed_and_replicate_only() -> None:
    dataset = _dataset()
    first = split(dataset, DataSpec(), 3)
    resized = DataSpec(resize=16, augment=("flip",), normalise=False)
    assert np.array_equal(first.train, split(dataset, resized, 3).train)
    assert not np.array_equal(first.validation, split(dataset, DataSpec(), 4).validation)
    assert not np.array_equal(first.validation, split(dataset, DataSpec(), 3, replicate=1).validation)


def test_validation_is_the_same_however_many_images_are_trained_on() -> None:
    dataset = _dataset()
    all_of_them = split(dataset, DataSpec(), 0)
    some = split(dataset, DataSpec(train_images=30), 0)
    assert np.array_equal(all_of_them.validation, some.validation)
    assert set(some.train) < set(all_of_them.train)


def test_an_official_validation_part_leaves_all_training_images_for_training() -> None:
    drawn = split(_dataset(validation=True), DataSpec(validation=0.2), 0)
    assert len(drawn.train) == 100
    assert len(drawn.validation) == 0


def test_no_validation_is_set_aside_when_none_is_asked_for() -> None:
    assert len(split(_dataset(), DataSpec(validation=0.0), 0).validation) == 0


def test_the_order_of_a_seed_never_changes() -> None:
    # PCG64's first raw draws for seed 0, sorted by hand: a change would move every committed result
    draws = np.random.PCG64(0).random_raw(5).tolist()
    assert draws == [
        11749869230777074271,
        4976686463289251617,
        755828109848996024,
        304881062738325533,
        15002187965291974971,
    ]
    assert shuffled(5, 0).tolist() == [3, 2, 1, 0, 4]


@pytest.mark.parametrize(
    ("sizes", "spec", "message"),
    [
        (
            SIZES,
            DataSpec(validation=0.1, train_images=91),
            (
                "data.train_images: must be at most the training images that validation leaves, "
                "but got (train_images=91, left=90)."
            ),
        ),
        (
            SIZES,
            DataSpec(validation=0.001),
            (
                "data.validation: must set aside at least one image, "
                "but got (validation=0.001, training images=100). Raise it, or set it to 0."
            ),
        ),
        (
            SIZES,
            DataSpec(validation=0.0, train_images=2),
            (
                "data.train_images: every class needs at least one training image, "
                "but got (train_images=2, class 'class2' without one)."
            ),
        ),
        (
            # shares 8/6, 2/6, 2/6: the remainders are equal, and the first class takes the second image too
            (4, 1, 1),
            DataSpec(validation=0.0, train_images=2),
            (
                "data.train_images: every class needs at least one training image, "
                "but got (train_images=2, class 'class1' and 1 more without one)."
            ),
        ),
    ],
)
def test_too_few_images_are_refused_with_law_and_values(
    sizes: tuple[int, ...], spec: DataSpec, message: str
) -> None:
    with pytest.raises(DataError) as caught:
        split(_dataset(sizes), spec, 0)
    assert str(caught.value) == message


def test_several_classes_without_an_image_are_counted() -> None:
    with pytest.raises(DataError, match="class 'class2' and 7 more without one"):
        split(_dataset((10,) * 10), DataSpec(train_images=2), 0)
