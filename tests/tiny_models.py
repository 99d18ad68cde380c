"""Tiny random models, saved and loaded like real models."""

from pathlib import Path

import pytest

WORDS = [
    "a",
    "quiet",
    "romance",
    "in",
    "paris",
    "space",
    "war",
    "among",
    "robots",
    "and",
    "rebels",
    "jazz",
    "at",
    "night",
    "baker",
    "shampoo",
]


def save_tokenizer(folder: Path, limit: int) -> int:
    """Save a word tokenizer with start and end marks; return the size of its vocabulary."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    words = {word: number for number, word in enumerate(["<pad>", "<unk>", "<s>", "</s>", *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 2), ("</s>", 3)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        model_max_length=limit,
    ).save_pretrained(folder)
    return len(words)


TOWER = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}
PIXELS = {"image_size": 32, "patch_size": 16}


def steady(torch) -> None:
    """Fix the weights; use one thread, because two would mostly wait for each other in models this small."""
    torch.manual_seed(0)
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_clip(tmp_path_factory) -> Path:
    import torch
    from transformers import CLIPConfig, CLIPModel
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    folder = tmp_path_factory.mktemp("clip")
    size = save_tokenizer(folder, limit=12)
    text = TOWER | {"vocab_size": size, "max_position_embeddings": 12, "eos_token_id": 3, "bos_token_id": 2}
    steady(torch)
    config = CLIPConfig(text_config=text, vision_config=TOWER | PIXELS, projection_dim=8)
    CLIPModel(config).save_pretrained(folder)
    CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}).save_pretrained(
        folder
    )
    return folder


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory) -> Path:
    import torch
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("bert")
    size = save_tokenizer(folder, limit=10)
    steady(torch)
    BertModel(BertConfig(**TOWER, vocab_size=size, max_position_embeddings=10)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_roberta(tmp_path_factory) -> Path:
    """A model with 9 positions, one of them for padding, and a tokenizer without a limit."""
    import torch
    from transformers import RobertaConfig, RobertaModel

    folder = tmp_path_factory.mktemp("roberta")
    size = save_tokenizer(folder, limit=10**9)
    steady(torch)
    config = RobertaConfig(**TOWER, vocab_size=size, max_position_embeddings=9, pad_token_id=0)
    RobertaModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_siglip(tmp_path_factory) -> Path:
    import torch
    from transformers import SiglipConfig, SiglipModel
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

    folder = tmp_path_factory.mktemp("siglip")
    size = save_tokenizer(folder, limit=9)
    text = TOWER | {"vocab_size": size, "max_position_embeddings": 9, "projection_size": 16}
    steady(torch)
    SiglipModel(SiglipConfig(text_config=text, vision_config=TOWER | PIXELS)).save_pretrained(folder)
    SiglipImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_siglip2(tmp_path_factory) -> Path:
    """A model for pictures of any shape: patches, masks and shapes instead of pixels."""
    import torch
    from transformers import Siglip2Config, Siglip2Model
    from transformers.models.siglip2.image_processing_pil_siglip2 import Siglip2ImageProcessorPil

    folder = tmp_path_factory.mktemp("siglip2")
    size = save_tokenizer(folder, limit=9)
    text = TOWER | {"vocab_size": size, "max_position_embeddings": 9, "projection_size": 16}
    steady(torch)
    config = Siglip2Config(text_config=text, vision_config=TOWER | {"num_patches": 16, "patch_size": 8})
    Siglip2Model(config).save_pretrained(folder)
    Siglip2ImageProcessorPil(patch_size=8, max_num_patches=16).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_dinov2(tmp_path_factory) -> Path:
    import torch
    from transformers import Dinov2Config, Dinov2Model
    from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil

    folder = tmp_path_factory.mktemp("dinov2")
    steady(torch)
    Dinov2Model(Dinov2Config(**TOWER, **PIXELS)).save_pretrained(folder)
    BitImageProcessorPil(size={"shortest_edge": 36}, crop_size={"height": 32, "width": 32}).save_pretrained(
        folder
    )
    return folder
