"""The one error that a person can mend; everything else is a bug and keeps its trace."""


class UsageError(Exception):
    """A mistake or a missing part outside the program, with its cure.

    The command line prints `message` and `hint` without a trace and exits with code 2;
    the web answers 400 with the same words.

    Parameters
    ----------
    message : what is wrong and where (one sentence).
    hint : what to do about it (one sentence, may hold a command to copy).
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  → {self.hint}" if self.hint else self.message
