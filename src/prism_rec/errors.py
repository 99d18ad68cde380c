"""What means that the input is wrong, not the program."""


class InputError(ValueError):
    """A mistake in what the user gave, told in one line that names the place and the mend.

    The command line prints the message after `error:` and exits with status 2, without a traceback.
    """


class DivergedError(InputError):
    """Settings with which a loss has grown beyond all numbers: of a search, it ends that trial alone."""
