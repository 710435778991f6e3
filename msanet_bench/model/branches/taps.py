"""Where the taps of a square kernel lie."""


def reach(kernel: int, dilation: int = 1) -> int:
    """Pixels from a kernel's centre to its outermost taps: also the padding that keeps a map's size.

    Raises:
        ValueError: the kernel has no centre, or a value is not positive.
    """
    if kernel < 1 or kernel % 2 == 0:
        raise ValueError(f"`kernel` must be odd and positive, but got ({kernel=}).")
    if dilation < 1:
        raise ValueError(f"`dilation` must be positive, but got ({dilation=}).")
    return dilation * (kernel // 2)
