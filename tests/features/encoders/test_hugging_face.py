import json
import pickle
import shutil
import socket
import time

import numpy as np
import pytest
import torch
from PIL import Image

from prism_rec.errors import InputError
from prism_rec.features.encoders.encoder import Placement
from prism_rec.features.encoders.hugging_face_model import find_model, load_model
from prism_rec.features.encoders.settings import HuggingFace

TEXTS = [
    "jazz",
    "A quiet romance in Paris",
    "space war among robots and rebels and robots and rebels and robots",
    "a baker",
    "shampoo shampoo shampoo",
]
TEXT_MODELS = ["tiny_clip", "tiny_bert", "tiny_siglip", "tiny_siglip2"]
PICTURE_MODELS = ["tiny_clip", "tiny_siglip", "tiny_siglip2", "tiny_dinov2"]
CPU = torch.device("cpu")


def of_texts(model, batch_size=None, device="auto", **settings):
    placement = Placement(batch_size=batch_size, device=device)
    return HuggingFace(model=str(model), **settings).build("text", placement)


def of_pictures(model, **settings):
    return HuggingFace(model=str(model), **settings).build("image")


def unit(vectors: torch.Tensor) -> np.ndarray:
    return torch.nn.functional.normalize(vectors).numpy()


def pictures() -> list[Image.Image]:
    random = np.random.default_rng(0)
    shapes = [(40, 50), (64, 33), (32, 32), (100, 90), (35, 70)]
    return [Image.fromarray(random.integers(0, 256, (*shape, 3), dtype=np.uint8)) for shape in shapes]


@pytest.mark.parametrize("model", TEXT_MODELS)
def test_neither_batch_nor_order_changes_a_text_vector(model, request):
    folder = request.getfixturevalue(model)
    together = of_texts(folder, batch_size=100).encode(TEXTS).vectors
    one_by_one = of_texts(folder, batch_size=1).encode(TEXTS[::-1]).vectors[::-1]
    np.testing.assert_allclose(one_by_one, together, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    assert np.abs(together[0] - together[3]).max() > 1e-3


@pytest.mark.parametrize("model", PICTURE_MODELS)
def test_neither_batch_nor_order_changes_a_picture_vector(model, request):
    encoder = of_pictures(request.getfixturevalue(model))
    prepared = [encoder.prepare(picture) for picture in pictures()]
    together = encoder.encode(prepared).vectors
    one_by_one = [encoder.encode([one]).vectors[0] for one in prepared[::-1]]
    np.testing.assert_allclose(one_by_one[::-1], together, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    assert np.abs(together[0] - together[3]).max() > 1e-3


def test_bert_gives_the_mean_over_real_tokens(tiny_bert):
    model = load_model(find_model(str(tiny_bert)), CPU, "float32")
    tokens = torch.tensor([[2, 4, 18, 3]])  # <s> a baker </s>
    with torch.inference_mode():
        expected = unit(model(input_ids=tokens).last_hidden_state.mean(dim=1))
    encoded = of_texts(tiny_bert, batch_size=100).encode(["a baker", TEXTS[1]])
    np.testing.assert_allclose(encoded.vectors[:1], expected, atol=1e-6)


@pytest.mark.parametrize("model", ["tiny_clip", "tiny_siglip"])
def test_two_towers_give_what_the_library_gives_for_padded_texts(model, request):
    from transformers import AutoTokenizer

    folder = request.getfixturevalue(model)
    encoder = of_texts(folder)
    inputs = AutoTokenizer.from_pretrained(folder)(
        TEXTS[:2], padding="max_length", max_length=encoder.token_limit, return_tensors="pt"
    )
    if model == "tiny_siglip":
        del inputs["attention_mask"]  # trained without
    with torch.inference_mode():
        expected = (
            load_model(find_model(str(folder)), CPU, "float32").get_text_features(**inputs).pooler_output
        )
    np.testing.assert_allclose(encoder.encode(TEXTS[:2]).vectors, unit(expected), atol=1e-5)


@pytest.mark.parametrize("model", PICTURE_MODELS)
def test_pictures_get_the_models_own_processing(model, request):
    from transformers import AutoImageProcessor

    folder = request.getfixturevalue(model)
    processor = AutoImageProcessor.from_pretrained(folder, backend="pil")
    loaded = load_model(find_model(str(folder)), CPU, "float32")
    run = getattr(loaded, "get_image_features", loaded)
    with torch.inference_mode():
        expected = [run(**processor(one, return_tensors="pt")).pooler_output for one in pictures()]
    encoder = of_pictures(folder)
    encoded = encoder.encode([encoder.prepare(picture) for picture in pictures()])
    np.testing.assert_allclose(encoded.vectors, unit(torch.cat(expected)), atol=1e-5)


def test_texts_over_the_limit_are_cut_and_told(tiny_clip):
    encoded = of_texts(tiny_clip).encode(TEXTS)
    assert encoded.token_limit == 12
    assert encoded.truncated.tolist() == [False, False, True, False, False]  # 12 words and two marks
    shorter = of_texts(tiny_clip, max_tokens=4)
    assert shorter.encode(TEXTS).truncated.tolist() == [False, True, True, False, True]
    np.testing.assert_allclose(
        shorter.encode(["shampoo shampoo jazz"]).vectors,
        shorter.encode(["shampoo shampoo"]).vectors,
        atol=1e-6,
    )


def test_positions_that_roberta_keeps_for_padding_are_not_counted(tiny_roberta):
    encoded = of_texts(tiny_roberta).encode(TEXTS)
    assert (encoded.token_limit, encoded.truncated.tolist()) == (8, [False, False, True, False, False])


def test_a_full_gpu_is_told(tiny_clip, monkeypatch):
    def run_out(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr("prism_rec.features.encoders.hugging_face_text._features", run_out)
    with pytest.raises(InputError, match="lower `engine.batch_size`"):
        of_texts(tiny_clip).encode(["a"])


def test_more_tokens_than_the_model_has_are_refused(tiny_clip):
    with pytest.raises(InputError, match="max_tokens: 13 is more than the 12"):
        of_texts(tiny_clip, max_tokens=13).encode(["a"])


def test_the_fingerprint_follows_the_files(tiny_clip, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(tiny_clip, copy)
    same = of_texts(copy).fingerprint
    assert same == of_texts(tiny_clip).fingerprint
    assert same != of_texts(copy, max_tokens=5).fingerprint
    assert same != of_texts(copy, precision="float16").fingerprint
    weights = copy / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert same != of_texts(copy).fingerprint


def test_preparation_travels_to_other_processes_without_the_model(tiny_clip):
    prepare = of_pictures(tiny_clip).prepare
    picture = pictures()[0]
    sent = pickle.dumps(prepare)
    np.testing.assert_array_equal(
        pickle.loads(sent)(picture)["pixel_values"], prepare(picture)["pixel_values"]
    )
    assert len(sent) < 2_000
    assert prepare(picture)["pixel_values"].dtype == np.uint8


def test_an_untrained_pooler_is_left_out(tiny_dinov2, tmp_path):
    from transformers import ViTConfig, ViTModel

    torch.manual_seed(0)
    config = ViTConfig(
        hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2, image_size=32
    )
    ViTModel(config, add_pooling_layer=False).save_pretrained(tmp_path)
    shutil.copy(tiny_dinov2 / "preprocessor_config.json", tmp_path)
    vectors = [
        (encoder := of_pictures(tmp_path)).encode([encoder.prepare(pictures()[0])]).vectors for _ in range(2)
    ]
    np.testing.assert_array_equal(*vectors)


def test_a_model_of_the_other_kind_is_refused(tiny_bert, tiny_dinov2):
    with pytest.raises(InputError, match="does not encode pictures"):
        of_pictures(tiny_bert).encode([{"pixel_values": np.zeros((3, 2, 2))}])
    with pytest.raises(InputError, match="does not encode texts"):
        of_texts(tiny_dinov2).encode(["a"])


def test_without_the_hub_the_error_says_how_to_fetch(monkeypatch):
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(InputError, match=r"hf download owner/model --local-dir DIR") as told:
        find_model("owner/model")
    assert "\n" not in str(told.value)
    with pytest.raises(InputError, match="--revision v2 "):
        find_model("owner/model", "v2")


def test_the_hub_is_asked_once(monkeypatch):
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    with socket.socket() as silent:  # bound, not listening: every connection is refused
        silent.bind(("127.0.0.1", 0))
        hub = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", hub)
        monkeypatch.setattr(
            huggingface_hub.constants,
            "HUGGINGFACE_CO_URL_TEMPLATE",
            hub + "/{repo_id}/resolve/{revision}/{filename}",
        )
        began = time.monotonic()
        with pytest.raises(InputError, match="hf download owner/model"):
            find_model("owner/model")
    assert time.monotonic() - began < 1, "it waits a second before it asks again"


def test_a_device_that_is_not_here_is_told(tiny_clip):
    with pytest.raises(InputError, match="device cuda:99 is not available on this machine"):
        of_texts(tiny_clip, device="cuda:99").encode(["a"])


def test_a_cached_model_is_found_by_name_without_the_hub(tiny_clip, tmp_path, monkeypatch):
    import huggingface_hub

    commit = "0123456789" * 4
    repository = tmp_path / "models--owner--model"
    shutil.copytree(tiny_clip, repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    source = find_model("owner/model")
    assert (source.revision, source.identity) == (commit, commit)
    expected = of_texts(tiny_clip).encode(TEXTS).vectors
    np.testing.assert_array_equal(of_texts("owner/model").encode(TEXTS).vectors, expected)
    (repository / "snapshots" / commit / "model.safetensors").unlink()
    with pytest.raises(InputError, match="hf download owner/model"):
        of_texts("owner/model").encode(TEXTS)


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_half_precision_gives_nearly_the_same_vectors(tiny_clip, precision):
    whole, half = of_texts(tiny_clip), of_texts(tiny_clip, precision=precision)
    np.testing.assert_allclose(half.encode(TEXTS).vectors, whole.encode(TEXTS).vectors, atol=0.02)
    whole, half = of_pictures(tiny_clip), of_pictures(tiny_clip, precision=precision)
    prepared = [whole.prepare(picture) for picture in pictures()]
    encoded = half.encode(prepared).vectors
    assert encoded.dtype == np.float32
    np.testing.assert_allclose(encoded, whole.encode(prepared).vectors, atol=0.02)


@pytest.mark.parametrize(
    ("name", "message"), [("./nowhere", "nor a folder, nor a model's name"), ("", "nor a folder|no config")]
)
def test_names_that_are_none(name, message):
    with pytest.raises(InputError, match=message):
        find_model(name)


def test_damaged_model_folders_are_told(tiny_clip, tmp_path):
    with pytest.raises(InputError, match=r"no config\.json"):
        find_model(str(tmp_path))
    for name, damage, message in [
        ("model.safetensors", lambda path: path.write_bytes(path.read_bytes()[:1000]), "cannot be loaded"),
        ("model.safetensors", lambda path: path.unlink(), "cannot be loaded"),
        ("config.json", lambda path: path.write_text("{"), "cannot be loaded"),
        ("config.json", lambda path: path.write_text(json.dumps({"model_type": "none"})), "cannot be loaded"),
        ("tokenizer.json", lambda path: path.write_text("{}"), "cannot be loaded"),
    ]:
        folder = tmp_path / "damaged"
        shutil.copytree(tiny_clip, folder)
        damage(folder / name)
        with pytest.raises(InputError, match=message) as told:
            of_texts(folder).encode(["a"])
        assert "\n" not in str(told.value)
        shutil.rmtree(folder)


def test_missing_weights_are_refused(tiny_clip, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "part"
    shutil.copytree(tiny_clip, folder)
    weights = load_file(folder / "model.safetensors")
    del weights["text_projection.weight"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match=r"lack the weights 'text_projection\.weight'"):
        load_model(find_model(str(folder)), CPU, "float32")
