"""Every export format keeps the contract of export formats."""

from pathlib import Path

from prism_rec.data.exports import ExportFormat, MMRecFolder, RecBoleFiles
from prism_rec.data.sources import MMRec, RecBole
from prism_rec.testing import ExportFormatContract
from prism_rec.testing.checks import assert_every_one_has_a_contract_test


class TestRecBoleFiles(ExportFormatContract):
    config = RecBoleFiles()

    def source(self, folder: Path) -> RecBole:
        return RecBole(interactions=folder)


class TestMMRecFolder(ExportFormatContract):
    config = MMRecFolder()

    def source(self, folder: Path) -> MMRec:
        return MMRec(folder=folder)


def test_every_export_format_has_a_contract_test() -> None:
    assert_every_one_has_a_contract_test(ExportFormat, ExportFormatContract, globals())
