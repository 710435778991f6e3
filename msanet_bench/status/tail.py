"""What a journal gained since it was last read: a watcher parses every line once."""

from pathlib import Path
from typing import BinaryIO, NamedTuple

from msanet_bench.journal import Attempt, Journal, whole_length

# of the end of what was read, enough to know it again: lines may end alike, in where they ran
_SEEN_BYTES = 4096


class Gain(NamedTuple):
    """New attempts; `is_anew` says that they are all there are, since the file is another than before."""

    attempts: list[Attempt]
    is_anew: bool


class JournalTail:
    """Reads on where it stopped; a file that was cut or replaced is read from its start."""

    def __init__(self, path: Path) -> None:
        self._journal = Journal(path)
        self._offset = self._lines = 0
        self._seen = b""

    def read(self) -> Gain:
        """The whole lines that are new; half a line waits until it is whole.

        Raises:
            ResultsError: a line is damaged, or of a newer schema.
        """
        try:
            file = self._journal.path.open("rb")
        except FileNotFoundError:
            return Gain([], self._begin_anew())
        with file:
            is_anew = not self._is_known(file) and self._begin_anew()
            file.seek(self._offset)
            content = file.read()
        whole = content[: whole_length(content)]
        attempts = self._journal.parse(whole, lines_before=self._lines)
        self._offset += len(whole)
        self._lines += whole.count(b"\n")
        self._seen = (self._seen + whole)[-_SEEN_BYTES:]
        return Gain(attempts, is_anew)

    def _is_known(self, file: BinaryIO) -> bool:
        """Whether what was read last still stands where it stood."""
        file.seek(self._offset - len(self._seen))
        return file.read(len(self._seen)) == self._seen

    def _begin_anew(self) -> bool:
        """Forget what was read; whether there was anything."""
        had_read = self._offset > 0
        self._offset = self._lines = 0
        self._seen = b""
        return had_read
