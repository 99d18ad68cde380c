import numpy as np
import polars as pl
import pytest

from features.drawn import plain
from prism_rec.data.embedding_folder import load_embedding
from prism_rec.errors import InputError
from prism_rec.features.contents import pictures_of, texts_of
from prism_rec.features.embedding import embed_contents
from prism_rec.features.encoders.settings import HuggingFace
from prism_rec.features.engines.local import LocalEngine
from prism_rec.features.engines.ray import RayEngine

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'prism-rec[ray]'")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # Ray's own warnings


@pytest.fixture(scope="module", autouse=True)
def two_workers():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_worker_niceness", "0")  # Ray's 15 starves them for minutes on a busy machine
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def test_two_workers_give_what_this_machine_gives(tmp_path, tiny_clip):
    folder = tmp_path / "p"
    folder.mkdir()
    for number in range(7):
        plain("RGB", (40, 30), (40 * number, 0, 90)).save(folder / f"{number}.png")
    (folder / "bad.png").write_text("<html>")
    words = ["jazz", "space war", None, "a quiet romance in paris at night among robots and rebels in paris"]
    texts = texts_of(pl.DataFrame({"item_id": list("abcd"), "title": words}), ["title"])
    for contents in (pictures_of(folder), texts):
        summaries = []
        for name, engine in (("local", LocalEngine(workers=0)), ("ray", RayEngine())):
            out = tmp_path / f"{name}-{contents.modality}"
            encoder = HuggingFace(model=str(tiny_clip)).build(contents.modality, engine)
            summaries.append(embed_contents(contents, encoder, out, engine=engine, part_size=3))
        assert summaries[0] == summaries[1]
        (vectors, ids), (expected, expected_ids) = (
            load_embedding(tmp_path / f"{name}-{contents.modality}") for name in ("ray", "local")
        )
        assert ids == expected_ids
        np.testing.assert_allclose(vectors, expected, atol=1e-6)
    assert (summaries[1].truncated, summaries[1].token_limit) == (1, 12)


def test_a_model_that_cannot_be_loaded_is_told_in_one_line(tmp_path, tiny_bert):
    texts = texts_of(pl.DataFrame({"item_id": ["a"], "title": ["jazz"]}), ["title"])
    encoder = HuggingFace(model=str(tiny_bert), max_tokens=99).build("text")
    with pytest.raises(InputError, match="max_tokens: 99 is more than the 10") as told:
        embed_contents(texts, encoder, tmp_path, engine=RayEngine())
    assert "\n" not in str(told.value)
