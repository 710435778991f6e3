import pytest

from msanet_bench.errors import first_line


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("too wide\nTraceback: ..."), "ValueError: too wide"),
        (KeyError(), "KeyError"),
        # as torch.onnx writes its messages
        (RuntimeError("\x1b[96mFailed\x1b[0m to export"), "RuntimeError: Failed to export"),
    ],
)
def test_an_error_as_a_reason_is_its_kind_and_first_line_without_colours(
    error: Exception, reason: str
) -> None:
    assert first_line(error) == reason
