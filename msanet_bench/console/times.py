"""Times as people read them."""


def duration_text(seconds: float) -> str:
    """`45s`, `6m05s`, `2h07m`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes:02d}m"
    return f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"
