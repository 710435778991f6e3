"""Rows from elsewhere, read from files as others write them."""

import re
from pathlib import Path

import pytest

from msanet_bench.cli.table import table as verb
from msanet_bench.errors import BenchError
from msanet_bench.report.external import HEADERS, NAMES, Reference, read_references

# Lines of timm's results-imagenet.csv and of its benchmark-infer-amp-nchw-pt240-cu124-rtx4090.csv.
TIMM_RESULTS = """\
model,top1,top1_err,top5,top5_err,param_count,img_size,crop_pct,interpolation
eva_giant_patch14_560.m30m_ft_in22k_in1k,89.786,10.214,98.992,1.008,"1,014.45",560,1.000,bicubic
convnext_base.fb_in22k_ft_in1k,86.274,13.726,98.092,1.908,88.59,288,1.000,bicubic
"""
TIMM_BENCHMARK = """\
model,infer_img_size,infer_samples_per_sec,infer_step_time,infer_batch_size,param_count,infer_gmacs,infer_macts
resnet50,160,8139.65,125.774,1024,25.56,2.1,5.67
resnet18,224,13537.15,75.62,1024,11.69,1.82,2.48
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "others.csv"


def read(table: Path, text: str) -> tuple[Reference, ...]:
    table.write_text(text, encoding="utf-8")
    return read_references(table)


def test_the_results_of_timm_are_read_as_they_are(table: Path) -> None:
    eva, convnext = read(table, TIMM_RESULTS)
    assert eva == Reference(
        name="eva_giant_patch14_560.m30m_ft_in22k_in1k",
        accuracy=0.89786,
        params=1_014_450_000,
        macs=None,
        latency_s=None,
        source="others.csv",
    )
    # divided in binary fractions, 86.274 % would be 0.8627400000000001
    assert (convnext.accuracy, convnext.params) == (0.86274, 88_590_000)


def test_the_time_of_a_whole_batch_is_no_latency(table: Path) -> None:
    resnet50, resnet18 = read(table, TIMM_BENCHMARK)
    assert (resnet50.params, resnet50.macs, resnet50.latency_s) == (25_560_000, 2_100_000_000, None)
    assert resnet18.macs == 1_820_000_000


@pytest.mark.parametrize(
    ("header", "text", "quantity", "value"),
    [
        ("accuracy", "76.1", "accuracy", 0.761),
        ("top1", "100", "accuracy", 1.0),
        ("params", "15172498", "params", 15_172_498),
        ("params", "15,172,498", "params", 15_172_498),
        ("param_count", "0.37", "params", 370_000),
        ("macs", "4.1e9", "macs", 4_100_000_000),
        ("gmacs", "4.09", "macs", 4_090_000_000),
        ("infer_gmacs", ".04", "macs", 40_000_000),
        ("latency_ms", "12.5", "latency_s", 0.0125),
        ("latency_s", "0.5", "latency_s", 0.5),
    ],
)
def test_units_are_converted_exactly(
    table: Path, header: str, text: str, quantity: str, value: float
) -> None:
    (reference,) = read(table, f'name,{header}\nnet,"{text}"\n')
    assert getattr(reference, quantity) == value
    assert all(getattr(reference, h.quantity) is None for h in HEADERS.values() if h.quantity != quantity)


def test_every_header_is_converted_above() -> None:
    (mark,) = test_units_are_converted_exactly.pytestmark
    assert {case[0] for case in mark.args[1]} == set(HEADERS)


def test_empty_fields_empty_lines_a_mark_of_excel_and_spaces_are_no_matter(table: Path) -> None:
    read_back = read(table, "\ufeffModel , Top1,params\r\n\r\n two  words ,76.1, \r\nother,,12\r\n")
    assert read_back == (
        Reference("two words", 0.761, None, None, None, "others.csv"),
        Reference("other", None, 12, None, None, "others.csv"),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "others.csv:1: the header must have one of name and model, but has neither."),
        ("net,top1\n", "others.csv:1: the header must have one of name and model, but has neither."),
        ("name,model,top1\n", "others.csv:1: the header must have one of name and model, but has 2 of them."),
        ("model,top5\nx,1\n", "others.csv:1: the header must have any of accuracy, top1, params"),
        ("name,top1,accuracy\n", "others.csv:1: `top1` and `accuracy` state the same. Keep one."),
        ("name,top1\na,76.1\nb,many\n", "others.csv:3: top1: must be a number of 0 or more, but got 'many'."),
        ("name,top1\n\na,-1\n", "others.csv:3: top1: must be a number of 0 or more, but got '-1'."),
        ("name,top1\na,nan\n", "others.csv:2: top1: must be a number of 0 or more, but got 'nan'."),
        ('name,top1\na,"76,1"\n', "others.csv:2: top1: must be a number of 0 or more, but got '76,1'."),
        ("name,top1\na,100.5\n", "others.csv:2: top1: must be in percent, from 0 to 100, but got '100.5'."),
        ("name,top1\na,0.761\nb,1\n", "others.csv:1: accuracies are in percent (76.1, not 0.761)"),
        ("name,top1\na\n", "others.csv:2: must have as many fields as the header, 2, but has 1."),
        ("name,top1\na,1,2\n", "others.csv:2: must have as many fields as the header, 2, but has 3."),
        ("name,top1\n ,76\n", "others.csv:2: the name must not be empty."),
        ('name,top1\n"a,76\n', "others.csv:2: not comma-separated values (unexpected end of data)."),
        ('name,top1\na,76\n"b"c,76\n', "others.csv:3: not comma-separated values ("),
    ],
)
def test_a_file_that_is_not_in_order_is_named_with_its_line(table: Path, text: str, message: str) -> None:
    with pytest.raises(BenchError) as refused:
        read(table, text)
    assert message in str(refused.value)


def test_low_accuracies_beside_one_above_1_percent_are_believed(table: Path) -> None:
    hard, other = read(table, "name,top1\na,0.761\nb,12\n")
    assert (hard.accuracy, other.accuracy) == (0.00761, 0.12)


def test_what_is_no_text_or_not_there_is_a_message(table: Path) -> None:
    table.write_bytes(b"name,top1\n\xff,1\n")
    with pytest.raises(BenchError, match=r"others\.csv: not UTF-8 text \(invalid start byte at byte 10\)"):
        read_references(table)
    with pytest.raises(BenchError, match=r"cannot be read \(No such file or directory\)"):
        read_references(table.with_name("missing.csv"))


def test_the_help_of_the_verb_names_every_header() -> None:
    named = re.findall(r"\w+", verb.__doc__ or "")
    assert [header for header in (*NAMES, *HEADERS) if header not in named] == []
