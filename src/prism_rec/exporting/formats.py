"""Formats of exported models: the program that runs the part that reads histories.

A format is a settings class with a `kind` and the names of its `files`. `write(program, folder)` writes them, and
`load(folder)` returns what encodes with them. A package adds a format by an entry point of the group
`prism_rec.model_formats`; `testing.ModelFormatContract` has its tests.
"""

import io
import logging
import shutil
import warnings
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from prism_rec.config import Config
from prism_rec.errors import InputError
from prism_rec.exporting import reader
from prism_rec.files import replacing
from prism_rec.plugins import Kinds

if TYPE_CHECKING:
    from torch.export import ExportedProgram

INPUTS, OUTPUTS = ("items", "lengths"), ("id_query", "content_query", "weights")
PROGRAM, READER = "encoder.pt2", "recommend.py"


class ModelFormat(Config, ABC):
    """The base of every format's settings.

    Attributes:
        files: names of all files that `write` makes.
    """

    files: ClassVar[tuple[str, ...]]

    @abstractmethod
    def write(self, program: "ExportedProgram", folder: Path) -> None:
        """Write the encoder of histories.

        Args:
            program: a traced `HistoryEncoder`.
            folder: exists.

        Raises:
            InputError: the format has no such operation, or a library is missing.
        """

    @abstractmethod
    def load(self, folder: Path) -> reader.Encode:
        """Return the encoder of histories that the files hold."""


class Onnx(ModelFormat):
    """ONNX, run by onnxruntime. The folder has a program that recommends with numpy and onnxruntime only."""

    files: ClassVar[tuple[str, ...]] = (reader.GRAPH, READER)

    kind: Literal["onnx"] = "onnx"
    """Name of the format."""

    def write(self, program: "ExportedProgram", folder: Path) -> None:
        """Write the graph and the program."""
        import torch

        try:
            import onnxruntime  # noqa: F401 (the check of the export needs it)
            import onnxscript  # noqa: F401 (torch.onnx needs it)
        except ImportError as error:
            raise InputError(
                f"the format onnx needs {error.name}; install it with: pip install 'prism-rec[onnx]'"
            ) from None
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # warns of libraries that are not needed
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                graph = torch.onnx.export(
                    program, (), input_names=INPUTS, output_names=OUTPUTS, dynamo=True, verbose=False
                )
            except torch.onnx.OnnxExporterError as error:
                why = str(error).strip().splitlines()[-1]
                raise InputError(
                    f"the model cannot be written as ONNX ({why:.200}); use `format` torch"
                ) from None
            assert graph is not None
            graph.save(folder / reader.GRAPH, external_data=False)
        shutil.copyfile(reader.__file__, folder / READER)

    def load(self, folder: Path) -> reader.Encode:
        """Return an encoder that runs with onnxruntime."""
        return reader.onnx_encoder(folder / reader.GRAPH)


class TorchProgram(ModelFormat):
    """A program of `torch.export`, which PyTorch runs without the code of the model."""

    files: ClassVar[tuple[str, ...]] = (PROGRAM,)

    kind: Literal["torch"] = "torch"
    """Name of the format."""

    def write(self, program: "ExportedProgram", folder: Path) -> None:
        """Write the program."""
        import torch

        # PyTorch's own writer of files ends the process if the disk is full.
        torch.export.save(program, content := io.BytesIO())
        with replacing(folder / PROGRAM) as partial:
            partial.write_bytes(content.getbuffer())

    def load(self, folder: Path) -> reader.Encode:
        """Return an encoder that runs with PyTorch."""
        import torch

        run = torch.export.load(folder / PROGRAM).module()

        @torch.no_grad()
        def encode(items: reader.Array, lengths: reader.Array) -> tuple[reader.Array, ...]:
            return tuple(part.numpy() for part in run(torch.from_numpy(items), torch.from_numpy(lengths)))

        return encode  # type: ignore[return-value]


AnyModelFormat = Annotated[Onnx | TorchProgram, Kinds("prism_rec.model_formats", ModelFormat)]
"""The settings of any format."""
