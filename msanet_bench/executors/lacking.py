"""How a task says that the place where it runs has not what it needs."""


class Lacking(Exception):
    """Raised by an executor's function for something that can be sent after it; `name` says what."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name
