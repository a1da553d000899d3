"""Repeat a part of a stored study, and print stored beside fresh.

    python benchmarks/study.py            what there is, and what it costs
    python benchmarks/study.py descent    repeat a part of one

A study is a script `NAME.py` that has stored `NAME.json`. Its function
`reduced()` computes a part of the latter afresh, as a tree of dicts, lists
and numbers with the same keys, in which a list may end early. The outermost
list of a branch holds splits, seeds or worlds, over which means are taken.

Numbers must agree within 0.001, or as the script's `same(stored, fresh)`
says, which must then say why. Times differ from machine to machine: what
stands under a key with "seconds" in it is shown and not judged. The exit
status is 1 if a number that is judged differs.
"""

import argparse
import importlib
import json
import re
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def names():
    """All studies: the scripts with a result beside them."""
    return sorted(
        path.stem
        for path in FOLDER.glob("*.json")
        if path.with_suffix(".py").exists()
    )


def costs():
    """What the README's table says of each study: whole, and reduced."""
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    row = r"^\| \[`(\w+)`\]\([^)]*\) \|[^|]*\| ([^|]*) \| ([^|]*) \|"
    return {name: cost for name, *cost in re.findall(row, text, re.MULTILINE)}


def leaves(tree, path=(), listed=False):
    """Pairs of a branch, without the place in its first list, and a value."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from leaves(value, (*path, key), listed)
    elif isinstance(tree, list):
        for i, value in enumerate(tree):
            place = (*path, str(i)) if listed else path
            yield from leaves(value, place, True)
    else:
        yield path, tree


def part(stored, fresh, path=()):
    """What is stored of all that is fresh; a KeyError if something is not."""
    where = " / ".join(path) or "the whole"
    if isinstance(fresh, dict):
        if not isinstance(stored, dict) or set(fresh) - set(stored):
            raise KeyError(f"{where}: of {list(fresh)} some is not stored")
        return {k: part(stored[k], fresh[k], (*path, k)) for k in fresh}
    if isinstance(fresh, list):
        if not isinstance(stored, list) or len(fresh) > len(stored):
            raise KeyError(f"{where}: more than the stored list has")
        pairs = enumerate(zip(stored, fresh))
        return [part(a, b, (*path, str(i))) for i, (a, b) in pairs]
    if isinstance(stored, dict | list):
        raise KeyError(f"{where}: one value, where a branch is stored")
    return stored


def is_number(value):
    return isinstance(value, int | float)


def close(stored, fresh):
    """Numbers agree within 0.001."""
    return abs(stored - fresh) <= 1e-3


def agree(stored, fresh, same):
    if is_number(stored) and is_number(fresh):
        both_undefined = stored != stored and fresh != fresh
        return both_undefined or bool(same(stored, fresh))
    return stored == fresh


def compare(stored, fresh, same=close):
    """One row a branch: name, stored, fresh, difference, verdict.

    Stored and fresh are means if all values are numbers, else the first
    values that differ. The verdict is "time", "same" or "DIFFERS".
    """
    branches = {}
    # As it would be stored: keys are strings, tuples are lists.
    fresh = json.loads(json.dumps(fresh))
    kept = leaves(part(stored, fresh))
    for (path, old), (_, new) in zip(kept, leaves(fresh), strict=True):
        branches.setdefault(path, []).append((old, new))
    for path, pairs in branches.items():
        name = " / ".join(path)
        if "seconds" in name:
            verdict = "time"
        else:
            right = all(agree(*pair, same) for pair in pairs)
            verdict = "same" if right else "DIFFERS"
        if all(is_number(value) for pair in pairs for value in pair):
            old, new = (sum(side) / len(pairs) for side in zip(*pairs))
            gap = max(abs(a - b) for a, b in pairs)
        else:
            old, new = next((p for p in pairs if p[0] != p[1]), pairs[0])
            gap = None
        yield name, old, new, gap, verdict


def as_text(row):
    name, old, new, gap, verdict = row
    shown = [f"{v:.4g}" if is_number(v) else str(v)[:11] for v in (old, new)]
    gap = "" if gap is None else f"{gap:.2g}"
    return f"{name:60} {shown[0]:>11} {shown[1]:>11} {gap:>9}  {verdict}"


def repeat(name):
    """Print a study's part beside what is stored; whether it agrees."""
    script = importlib.import_module(name)
    stored = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    same = getattr(script, "same", close)
    rows = list(compare(stored, script.reduced(), same))
    print(f"{name}: {' '.join(same.__doc__.split())}")
    print(f"{'':60} {'stored':>11} {'fresh':>11} {'largest':>9}")
    print(f"{'':60} {'mean':>11} {'mean':>11} {'gap':>9}")
    print("\n".join(map(as_text, rows)))
    wrong = sum(verdict == "DIFFERS" for *_, verdict in rows)
    times = sum(verdict == "time" for *_, verdict in rows)
    print(f"{len(rows) - times} branches judged, {wrong} differ; "
          f"{times} times shown, not judged")  # fmt: skip
    return not wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", nargs="?", choices=names())
    name = parser.parse_args().name
    if name is None:
        print(f"{'study':20}{'whole':32}reduced")
        for name, (whole, part_of_it) in costs().items():
            print(f"{name:20}{whole:32}{part_of_it}")
        print("\nmake study NAME=descent repeats a part of one.")
        return 0
    return 0 if repeat(name) else 1


if __name__ == "__main__":
    sys.exit(main())
