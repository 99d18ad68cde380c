"""The one exception that means: the input is wrong, not the program."""


class InputError(ValueError):
    """A mistake in what the user gave, told in one line that names the place and the mend.

    The command line prints the message after `error:` and exits with status 2, without a traceback.
    """
