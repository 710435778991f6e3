"""Published experiments as the CSV files that somebody might have."""

from pathlib import Path

from golden_cases import FILTRATION, NPK, NPK_YIELD, PILOT_PLANT, SHOES_A, SHOES_B, yates


def write(folder: Path, *lines: str) -> Path:
    path = folder / "table.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def pilot_plant(folder: Path) -> Path:
    """Temperature in degrees, concentration in per cent, and catalyst A or B; two runs each."""
    rows = [
        f"{180 if 'T' in cell else 160},{40 if 'C' in cell else 20},{'B' if 'K' in cell else 'A'},{y}"
        for cell, pair in zip(yates("TCK"), PILOT_PLANT, strict=True)
        for y in pair
    ]
    return write(folder, "T,C,K,yield", *rows)


def filtration(folder: Path, *, half: bool = False) -> Path:
    rows = [
        ";".join([*("+" if letter in cell else "-" for letter in "ABCD"), str(rate)])
        for cell, rate in zip(yates("ABCD"), FILTRATION, strict=True)
        if not half or len(cell.strip("-")) % 2 == 0
    ]
    return write(folder, "A;B;C;D;rate", *rows)


def peas(folder: Path) -> Path:
    nutrients = zip(*NPK.values(), strict=True)
    rows = [
        ",".join([str(row // 4), *levels, str(y)])
        for row, (levels, y) in enumerate(zip(nutrients, NPK_YIELD, strict=True))
    ]
    return write(folder, "block,N,P,K,yield", *rows)


def shoes(folder: Path) -> Path:
    worn = enumerate(zip(SHOES_A, SHOES_B, strict=True))
    return write(folder, "boy,material,wear", *(f"{b},A,{a}\n{b},B,{c}" for b, (a, c) in worn))
