"""Texts and pictures encoded a second with CLIP ViT-B/32's shape, against one at a time.

The weights are random and made on the spot: speed does not depend on them. One at a time means what the
published code does: a batch of one, every text padded to 77 tokens, every picture opened and processed
between two calls of the model. Both sides take turns, and medians over the turns are reported.

    python benchmarks/embed.py --json
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import torch
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    AutoImageProcessor,
    AutoModel,
    AutoTokenizer,
    CLIPConfig,
    CLIPModel,
    PreTrainedTokenizerFast,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from prism_rec.features.contents import Contents, pictures_of, texts_of
from prism_rec.features.embedding import embed_contents
from prism_rec.features.encoders.encoder import Encoded
from prism_rec.features.encoders.settings import HuggingFace

VOCABULARY = [f"word{number}" for number in range(20_000)]
YELP_ITEMS = 148_522


def save_clip(folder: Path) -> None:
    """Save CLIP ViT-B/32 with random weights and a tokenizer of whole words."""
    words = {word: number for number, word in enumerate(["<pad>", "<unk>", "<s>", "</s>", *VOCABULARY])}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 2), ("</s>", 3)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>", model_max_length=77
    ).save_pretrained(folder)
    torch.manual_seed(0)
    config = CLIPConfig(text_config={"eos_token_id": 3, "bos_token_id": 2, "pad_token_id": 0})
    CLIPModel(config).save_pretrained(folder)
    CLIPImageProcessorPil().save_pretrained(folder)


def make_texts(number: int, median_words: float) -> pl.DataFrame:
    """Make texts of log-normally distributed length, as catalogues have them: many short, a few very long."""
    random = np.random.default_rng(0)
    lengths = np.clip(random.lognormal(np.log(median_words), 0.6, number).astype(int), 1, 300)
    words = np.array(VOCABULARY)
    texts = [" ".join(words[random.integers(0, len(words), length)]) for length in lengths]
    return pl.DataFrame({"item_id": [str(row) for row in range(number)], "title": texts})


def draw_pictures(folder: Path, number: int) -> None:
    """Draw JPEG files of about 20 KB, 300 x 300 pixels."""
    random = np.random.default_rng(0)
    folder.mkdir()
    for row in range(number):
        small = Image.fromarray(random.integers(0, 256, (38, 38, 3), dtype=np.uint8))
        small.resize((300, 300), Image.Resampling.BICUBIC).save(folder / f"{row}.jpg", quality=85)


def one_at_a_time(clip: Path, device: torch.device) -> tuple[Callable[[str], None], Callable[[Path], None]]:
    """Return the published way of encoding a text and a picture."""
    model = AutoModel.from_pretrained(clip).eval().to(device)
    tokenizer = AutoTokenizer.from_pretrained(clip)
    processor = AutoImageProcessor.from_pretrained(clip, backend="pil")

    @torch.no_grad()
    def encode_text(text: str) -> None:
        inputs = tokenizer([text], padding="max_length", truncation=True, max_length=77, return_tensors="pt")
        model.get_text_features(**inputs.to(device)).pooler_output.cpu()

    @torch.no_grad()
    def encode_picture(path: Path) -> None:
        inputs = processor(Image.open(path).convert("RGB"), return_tensors="pt")
        model.get_image_features(**inputs.to(device)).pooler_output.cpu()

    return encode_text, encode_picture


def compare(contents: Contents, clip: Path, baseline: Callable, single: int, turns: int, out: Path) -> dict:
    """Time the stage on all contents and the baseline on `single` of them, in turns."""
    values = [entry.value for entry in contents.entries][:single]
    encoder = HuggingFace(model=str(clip)).build(contents.modality)
    embed_contents(Contents(contents.modality, contents.entries[:8]), encoder, out / "warm")
    baseline(values[0])
    stage, one = [], []
    for turn in range(turns):
        start = time.perf_counter()
        embed_contents(contents, encoder, out / str(turn))
        stage.append(len(contents.entries) / (time.perf_counter() - start))
        start = time.perf_counter()
        for value in values:
            baseline(value)
        one.append(len(values) / (time.perf_counter() - start))
    fast, slow = statistics.median(stage), statistics.median(one)
    return {"per_second": fast, "one_at_a_time_per_second": slow, "times": fast / slow}


def time_rerun(clip: Path, folder: Path) -> float:
    """Time the whole command on a catalogue of Yelp's size whose texts are all encoded."""
    frame = make_texts(YELP_ITEMS, 20)
    frame.write_parquet(folder / "items.parquet")
    encoder = HuggingFace(model=str(clip)).build("text")
    random = np.random.default_rng(0)
    encoder.encode = lambda texts: Encoded(  # what is in the vectors does not matter here
        random.standard_normal((len(texts), 512), dtype=np.float32), np.zeros(len(texts), bool), 77
    )
    embed_contents(texts_of(frame, ["title"]), encoder, folder / "out")
    script = "from prism_rec.cli.app import main; main()"
    words = ["embed", "--items", str(folder), "--encoder", str(clip), "--out", str(folder / "out"), "--quiet"]
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", script, *words], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def matrix_product_gflops() -> float:
    """Measure a 2048 x 2048 float32 matrix product, so that machines compare."""
    matrix = torch.randn(2048, 2048)
    matrix @ matrix
    start = time.perf_counter()
    for _ in range(10):
        matrix @ matrix
    return 10 * 2 * 2048**3 / (time.perf_counter() - start) / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--median-words", type=float, default=24, help="median length of a text")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--threads", type=int, help="cores for the model; default: all")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    texts, pictures, single = (20_000, 8_000, 300) if device.type == "cuda" else (200, 64, 24)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = folder / "clip"
        save_clip(clip)
        draw_pictures(folder / "pictures", pictures)
        text_contents = texts_of(make_texts(texts, options.median_words), ["title"])
        encode_text, encode_picture = one_at_a_time(clip, device)
        arguments = {"clip": clip, "single": single, "turns": options.turns}
        results = {
            "device": str(device),
            "threads": torch.get_num_threads(),
            "matrix_product_gflops": matrix_product_gflops(),
            "load_average": os.getloadavg()[0],
            "texts": compare(text_contents, baseline=encode_text, out=folder / "texts", **arguments),
            "pictures": compare(
                pictures_of(folder / "pictures"), baseline=encode_picture, out=folder / "encoded", **arguments
            ),
            "rerun_with_nothing_new_seconds": time_rerun(clip, folder),
            "rerun_items": YELP_ITEMS,
        }
    if options.json:
        print(json.dumps(results, indent=2))
        return
    for kind in ("texts", "pictures"):
        facts = results[kind]
        print(
            f"{kind}: {facts['per_second']:,.1f} a second, {facts['times']:.1f} times one at a time "
            f"({facts['one_at_a_time_per_second']:,.1f})"
        )
    print(f"nothing new among {YELP_ITEMS:,} texts: {results['rerun_with_nothing_new_seconds']:.1f} s")
    print(f"{device}, {results['matrix_product_gflops']:.0f} GFLOP/s, load {results['load_average']:.1f}")


if __name__ == "__main__":
    main()
