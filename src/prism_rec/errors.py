"""Errors that mean that the input is wrong, not the program.

A message is one line. It names the place (file, row, key) and a fix that works. A setting is written in backticks
(`cleaning.core`), so that the command line can show the option of the same meaning in its place.
"""

from prism_rec.masking import mask


class InputError(ValueError):
    """A mistake in the user's input.

    The command line prints the message after `error:` and exits with status 2, without a traceback. Credentials in
    addresses are masked.
    """

    def __init__(self, *parts: object) -> None:
        super().__init__(*(mask(part) if isinstance(part, str) else part for part in parts))


class SettingsError(InputError):
    """A setting is unknown, missing, or has a wrong value, or two settings do not go together.

    Args:
        why: what is wrong and how to fix it.
        where: the file or section of the setting, if there is one.
        key: the setting's dotted name, if one setting is wrong.
    """

    def __init__(self, why: str, where: str = "", key: str = "") -> None:
        super().__init__(": ".join(part for part in (where, key, why) if part))
        self.why, self.where, self.key = why, where, key


class UnknownKindError(SettingsError):
    """Something is chosen by a name that nothing has; a package that is not installed may add it."""

    def of_a_folder(self) -> SettingsError:
        """Return the error of settings that a folder keeps: they were right when they were written."""
        return SettingsError(f"{self.why}, or install the package that adds it", self.where, self.key)


class DataError(InputError):
    """A file or frame has content that cannot be used."""


class FolderError(InputError):
    """A folder of a stage is missing, unfinished, or of another stage."""


class DamagedError(FolderError):
    """A file of a finished folder is missing or differs from the manifest."""


class BusyError(FolderError):
    """Another process works in the folder."""


class MachineError(InputError):
    """The machine could not do it: the disk is full, a path may not be written, memory is short."""


class DivergedError(InputError):
    """The loss became infinite or NaN. In a search, only that trial fails."""
