"""The report of a single network: how right it is, class by class, and how far it can be believed."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from msanet_bench.analysis.classification import (
    BINS,
    Bin,
    ClassScore,
    calibration_error,
    calibration_error_by_chance,
    class_scores,
    confusion_matrix,
    reliability,
    wilson_interval,
)
from msanet_bench.report.document import Block, Bullets, Paragraph, Report, Section, Table
from msanet_bench.report.graphics import Confusion, Pictures, Reliability
from msanet_bench.report.markdown import escape
from msanet_bench.report.numbers import count, fixed, percent, percent_interval

_TOLD_MISTAKES = 3


@dataclass(frozen=True, slots=True, eq=False)
class NetworkFindings:
    """What a network said of its test images, and pictures of how it looks at some.

    Attributes:
        settings: What it is and how it was trained, in sentences of Markdown.
        measures: Accuracy, balanced accuracy and loss, as in a record.
        probabilities: (images, classes).
        labels: The class number of each image.
        attention: None of a network without maps of attention.
        fields: None where none could be measured.
    """

    name: str
    settings: tuple[str, ...]
    notes: tuple[str, ...]
    classes: tuple[str, ...]
    measures: Mapping[str, float]
    probabilities: NDArray[np.float64]
    labels: NDArray[np.int64]
    attention: Pictures | None
    fields: Pictures | None

    @property
    def predicted(self) -> NDArray[np.int64]:
        named: NDArray[np.int64] = self.probabilities.argmax(axis=1)
        return named

    @property
    def confidences(self) -> NDArray[np.float64]:
        """The probability of the class that is named, an image."""
        highest: NDArray[np.float64] = self.probabilities.max(axis=1)
        return highest

    @property
    def confusion(self) -> NDArray[np.int64]:
        return confusion_matrix(self.labels, self.predicted, len(self.classes))

    @property
    def scores(self) -> list[ClassScore]:
        return class_scores(self.confusion)

    @property
    def bins(self) -> list[Bin]:
        return reliability(self.confidences, self.predicted == self.labels)


def network_report(findings: NetworkFindings) -> Report:
    """The report before any format."""
    sections = [_summary(findings), _classes(findings), _confusion(findings), _calibration(findings)]
    if findings.attention is not None:
        sections.append(Section("Attention", (findings.attention,)))
    if findings.fields is not None:
        sections.append(Section("Receptive fields", (findings.fields,)))
    return Report(title=f"The network {findings.name}", sections=tuple(sections), numbers=_numbers(findings))


def _summary(findings: NetworkFindings) -> Section:
    hits, total, measures = int(findings.confusion.trace()), len(findings.labels), findings.measures
    items = (
        f"Accuracy: {percent(measures['accuracy'])} % ({count(hits)} of {count(total)} test images).",
        f"95 % interval over test images (Wilson): {percent_interval(*wilson_interval(hits, total))}.",
        f"Balanced accuracy, the mean of the classes' recalls: {percent(measures['balanced_accuracy'])} %.",
        f"Loss (cross-entropy): {fixed(measures['loss'], 4)} nat.",
        *findings.settings,
        *(f"Note: {escape(note)}" for note in findings.notes),
    )
    remark = (
        "This is one training run: another seed gives another accuracy, and the interval does not allow for "
        "that. `msanet-bench sweep` compares over seeds."
    )
    return Section("Summary", (Bullets(items), Paragraph(remark)))


def _classes(findings: NetworkFindings) -> Section:
    rows = tuple(
        (name, percent(score.precision), percent(score.recall), count(score.images), count(score.predicted))
        for name, score in zip(findings.classes, findings.scores, strict=True)
    )
    words = (
        "Precision: of the images taken for a class, the share that are of it. Recall: of its images, the "
        "share that were found."
    )
    header = ("class", "precision, %", "recall, %", "images", "taken for it")
    return Section("Classes", (Table(header, rows), Paragraph(words)))


def _confusion(findings: NetworkFindings) -> Section:
    alt = "How many images of each class were taken for each"
    figure = Confusion("confusion", alt, findings.classes, findings.confusion)
    return Section("Confusion", (figure, *_mistakes(findings)))


def _mistakes(findings: NetworkFindings) -> Iterator[Block]:
    """Those that are made most, in a sentence; equal ones in the order of the classes."""
    classes, wrong = findings.classes, findings.confusion
    np.fill_diagonal(wrong, 0)
    most = np.argsort(-wrong, axis=None, kind="stable")[:_TOLD_MISTAKES]
    places = [divmod(int(place), len(classes)) for place in most]
    told = [
        f"{escape(classes[row])} for {escape(classes[column])} ({count(int(wrong[row, column]))})"
        for row, column in places
        if wrong[row, column]
    ]
    if told:
        yield Paragraph(f"Most often it takes {', '.join(told)}.")


def _calibration(findings: NetworkFindings) -> Section:
    error = calibration_error(findings.bins)
    chance = calibration_error_by_chance(findings.confidences)
    words = (
        f"The expected calibration error (ECE) is {percent(error)} %: the distance between confidence and "
        f"accuracy in each of {BINS} bins of equal width, as a mean over the images (Guo et al. 2017, "
        "[arXiv:1706.04599](https://arxiv.org/abs/1706.04599), eq. 3). It cannot be negative: a perfectly "
        f"calibrated network of these confidences would show about {percent(chance)} % by chance."
    )
    alt = "Accuracy against confidence, bin by bin"
    figure = Reliability("reliability", alt, f"{findings.name}.", tuple(findings.bins))
    return Section("Calibration", (Paragraph(words), figure))


def _numbers(findings: NetworkFindings) -> str:
    """All of it unrounded; what is not defined is null."""
    content = {
        "name": findings.name,
        "measures": dict(findings.measures),
        "calibration_error": calibration_error(findings.bins),
        "calibration_error_by_chance": calibration_error_by_chance(findings.confidences),
        "bins": [_defined(each._asdict()) for each in findings.bins],
        "classes": [
            {"class": name, **_defined(score._asdict())}
            for name, score in zip(findings.classes, findings.scores, strict=True)
        ],
        "confusion": findings.confusion.tolist(),
    }
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _defined(values: Mapping[str, float]) -> dict[str, float | None]:
    return {name: None if math.isnan(value) else value for name, value in values.items()}
