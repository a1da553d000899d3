"""The sources' own data: read from files that are written here.

The files have the names, variables and shapes of UTD-MHAD. What is in them is
made up: a swing of the whole body, whose frequency and direction are the
action's, seen by the joints and felt by the sensor.
"""

import importlib
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.io import savemat

from perfalign.datasets import load_utd_mhad

ROOT = Path(__file__).resolve().parent.parent


def write(folder, item, rng, kinds=("skeleton", "inertial")):
    """Files of one recording, and the arrays in them."""
    action, subject, trial = item
    name = f"a{action}_s{subject}_t{trial}"
    start, seconds = rng.uniform(0, 0.3), rng.uniform(1.5, 3)
    frames, samples = (
        np.linspace(0, 1, int(rate * seconds)) for rate in (30, 50)
    )
    body = np.random.default_rng(0).normal(size=(20, 3))
    reach = np.random.default_rng(action).normal(size=(20, 3))
    feel = np.random.default_rng(100 + action).normal(size=6)
    swing = np.sin(2 * np.pi * (1 + action % 3) * (frames + start))
    felt = np.cos(2 * np.pi * (1 + action % 3) * (samples + start))
    joints = rng.normal(size=3) + body + swing[:, None, None] * reach
    joints += 0.1 * rng.normal(size=joints.shape)
    sensor = np.outer(felt, feel) + 0.1 * rng.normal(size=(len(felt), 6))
    for kind in kinds:
        place = folder / kind.title()
        place.mkdir(exist_ok=True, parents=True)
        content = {
            "skeleton": {"d_skel": joints.transpose(1, 2, 0)},
            "inertial": {"d_iner": sensor},
        }
        savemat(place / f"{name}_{kind}.mat", content[kind])
    return joints, sensor


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A folder with four actions of eight people, and what is in it."""
    folder = tmp_path_factory.mktemp("utd")
    rng = np.random.default_rng(0)
    return folder, {
        (a, s, t): write(folder, (a, s, t), rng)
        for a in (2, 10, 11, 27)
        for s in range(1, 9)
        for t in range(1, 5)
    }


class TestLoader:
    def test_rows_are_recordings_in_order_of_number(self, recorded):
        folder, items = recorded
        data = load_utd_mhad(folder)
        assert_array_equal(
            np.stack([data.target + 1, data.subject, data.trial], axis=1),
            list(items),
        )
        for row, (joints, sensor) in enumerate(items.values()):
            assert_array_equal(data.skeleton[row], joints)
            assert_array_equal(data.inertial[row], sensor)
        assert data.target_names[[1, 26]].tolist() == [
            "swipe to the right",
            "squat",
        ]
        assert len(data.target_names) == 27
        assert data.view_names == ("skeleton", "inertial")
        assert data.left_out == ()
        assert "Kehtarnavaz" in data.DESCR and "changed" in data.DESCR

    def test_steps_are_equally_spaced(self, recorded):
        folder, items = recorded
        data = load_utd_mhad(folder, n_steps=5)
        for row, (joints, sensor) in enumerate(items.values()):
            seen = data.views[0][row].reshape(5, 20, 3)
            felt = data.views[1][row].reshape(5, 6)
            hips = joints[0, 3]
            assert_allclose(seen[[0, -1]], joints[[0, -1]] - hips, atol=1e-12)
            assert_allclose(felt[[0, -1]], sensor[[0, -1]], atol=1e-12)
            at = (len(sensor) - 1) / 4
            low, part = int(at), at % 1
            between = (1 - part) * sensor[low] + part * sensor[low + 1]
            assert_allclose(felt[1], between, atol=1e-12)

    def test_a_body_elsewhere_in_the_room_is_the_same(self, tmp_path):
        for shift, name in [(0, "here"), (5, "there")]:
            place = tmp_path / name
            joints, sensor = write(place, (1, 1, 1), np.random.default_rng(3))
            savemat(
                place / "Skeleton" / "a1_s1_t1_skeleton.mat",
                {"d_skel": (joints + shift).transpose(1, 2, 0)},
            )
        here, there = (
            load_utd_mhad(tmp_path / name).views[0]
            for name in ("here", "there")
        )
        assert_allclose(here, there, atol=1e-12)

    def test_the_usual_split_has_odd_people_teach(self, recorded):
        data = load_utd_mhad(recorded[0])
        assert set(data.subject[data.train]) == {1, 3, 5, 7}
        assert set(data.subject[data.test]) == {2, 4, 6, 8}
        both = np.concatenate([data.train, data.test])
        assert_array_equal(np.sort(both), np.arange(len(data.target)))

    def test_what_lacks_a_file_is_left_out_and_named(self, tmp_path):
        rng = np.random.default_rng(0)
        write(tmp_path, (1, 1, 1), rng)
        write(tmp_path, (3, 2, 4), rng, ["inertial"])
        write(tmp_path, (12, 8, 2), rng, ["skeleton"])
        (tmp_path / "a1_s1_t1_color.avi").write_bytes(b"")
        (tmp_path / "a1_s1_t1_depth.mat").write_bytes(b"")
        with pytest.warns(UserWarning, match=r"2 of 3 .*a3_s2_t4, a12_s8_t2"):
            data = load_utd_mhad(str(tmp_path))
        assert data.left_out == ("a3_s2_t4", "a12_s8_t2")
        assert len(data.target) == len(data.views[0]) == 1

    @pytest.mark.parametrize(
        ("kind", "content", "words"),
        [
            ("skeleton", {"d_skel": np.ones((20, 2, 9))}, r"\(20, 2, 9\)"),
            ("skeleton", {"d_skel": np.ones((20, 3))}, r"\(20, 3, T\)"),
            ("skeleton", {"d_skel": np.ones((20, 3, 1))}, "T of 2 or more"),
            ("inertial", {"d_iner": np.ones((9, 7))}, r"\(T, 6\)"),
            ("inertial", {"iner": np.ones((9, 6))}, "no variable d_iner"),
            ("inertial", {"d_iner": "words"}, "cannot be read"),
            ("inertial", {"d_iner": np.full((9, 6), np.nan)}, "not finite"),
        ],
    )
    def test_a_file_that_is_not_as_it_should_be(
        self, tmp_path, kind, content, words
    ):
        write(tmp_path, (4, 5, 2), np.random.default_rng(0))
        name = f"a4_s5_t2_{kind}.mat"
        savemat(tmp_path / kind.title() / name, content)
        with pytest.raises(ValueError, match=f"{name}.*{words}"):
            load_utd_mhad(tmp_path)

    @pytest.mark.parametrize("content", [b"", b"MATLAB 7.3 MAT-file, broken"])
    def test_a_file_that_cannot_be_read(self, tmp_path, content):
        write(tmp_path, (4, 5, 2), np.random.default_rng(0))
        path = tmp_path / "Inertial" / "a4_s5_t2_inertial.mat"
        path.write_bytes(content)
        with pytest.raises(ValueError, match="inertial.mat cannot be read"):
            load_utd_mhad(tmp_path)

    @pytest.mark.parametrize("item", [(28, 1, 1), (0, 1, 1), (1, 9, 1)])
    def test_numbers_of_actions_and_people(self, tmp_path, item):
        write(tmp_path, item, np.random.default_rng(0))
        with pytest.raises(ValueError, match="wanted 1 to 27 and 1 to 8"):
            load_utd_mhad(tmp_path)

    def test_a_file_that_is_there_twice(self, tmp_path):
        write(tmp_path, (1, 1, 1), np.random.default_rng(0))
        write(tmp_path / "copy", (1, 1, 1), np.random.default_rng(1))
        with pytest.raises(ValueError, match="there twice"):
            load_utd_mhad(tmp_path)

    def test_folders_that_are_none_or_hold_no_pair(self, tmp_path):
        with pytest.raises(ValueError, match="no folder"):
            load_utd_mhad(tmp_path / "nowhere")
        with pytest.raises(ValueError, match="0 files .*unpacked archives"):
            load_utd_mhad(tmp_path)
        write(tmp_path, (1, 1, 1), np.random.default_rng(0), ["inertial"])
        with pytest.raises(ValueError, match="0 files .* 1 as .* no pair"):
            load_utd_mhad(tmp_path)

    @pytest.mark.parametrize("n_steps", [1, 0, 2.5, "five"])
    def test_steps_are_two_or_more(self, recorded, n_steps):
        with pytest.raises(ValueError, match="whole number of 2 or more"):
            load_utd_mhad(recorded[0], n_steps=n_steps)


class TestStudy:
    @pytest.fixture
    def script(self, monkeypatch):
        monkeypatch.syspath_prepend(ROOT / "benchmarks")
        return importlib.import_module("human_action")

    def test_methods_have_as_many_candidates(self, script):
        counts = {
            name: np.prod([len(v) for v in search.param_grid.values()])
            for name, search in script.methods().items()
        }
        assert set(counts.values()) == {18}

    def test_splits_never_part_a_person(self, script, recorded):
        data = load_utd_mhad(recorded[0])
        found = list(script.splits(data, 3))
        assert_array_equal(found[0][0], data.train)
        for train, test in found:
            assert len(set(data.subject[train])) == 4
            assert not set(data.subject[train]) & set(data.subject[test])

    def test_verdicts(self, script):
        assert script.verdict(0.01, 0.2) == "ahead"
        assert script.verdict(-0.2, -0.01) == "behind"
        assert script.verdict(-0.1, 0.2) == "not told apart"

    def test_the_whole_script_runs(
        self, script, recorded, monkeypatch, capsys
    ):
        argv = ["human_action.py", str(recorded[0]), "--splits", "2"]
        monkeypatch.setattr("sys.argv", argv)
        script.main()
        printed = capsys.readouterr().out
        assert printed.startswith("128 recordings, 0 left out; chance 0.250")
        assert "[1 3 5 7] teach, [2 4 6 8] are asked" in printed
        rows = [x for x in printed.splitlines() if x.startswith("whitened  ")]
        assert len(rows) == 4  # both ways, the usual split and the mean
        for row in rows:
            accuracy, shuffled, own, recall = map(float, row.split()[1:5])
            assert accuracy > 0.6 > 0.5 > shuffled
            assert own > 0.6 and recall > 0.3
        assert printed.count("whitened − ") == 2
