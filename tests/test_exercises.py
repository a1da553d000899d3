"""Right answers pass, and each typical wrong one gets its own reason."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ortho_group

from perfalign.book.exercises import Verdict, ask, check, questions
from perfalign.book.exercises._choice import read_choices
from perfalign.book.exercises._computed import Computed
from perfalign.book.exercises._numbers import computed
from perfalign.datasets import make_gaussian_views

CHOICES = read_choices()
COMPUTED = {
    number: question
    for number, question in computed().items()
    if isinstance(question, Computed)
}
CHAPTERS = Path(__file__).parents[1] / "chapters"


def exercise(number):
    return number.rstrip("abcdef")


@pytest.mark.parametrize("number", CHOICES)
def test_one_option_is_right_and_each_has_its_reason(number):
    options = CHOICES[number].options
    verdicts = [check(number, letter) for letter in "abcd"[: len(options)]]
    assert sum(map(bool, verdicts)) == 1
    assert len({verdict.reason for verdict in verdicts}) == len(options) >= 3
    right = next(text for text, _, right in options if right)
    for verdict, (_, reason, _) in zip(verdicts, options):
        assert reason in repr(verdict)
        assert verdict or right.lower() not in reason.lower()


@pytest.mark.parametrize("number", COMPUTED)
def test_numbers_of_the_definition_are_right(number):
    answer = np.ravel(COMPUTED[number].solution())
    assert check(number, answer)
    assert check(number, *answer)
    assert check(number, *[float(f"{value:.3g}") for value in answer])


@pytest.mark.parametrize("number", COMPUTED)
def test_typical_mistakes_are_told_apart(number):
    mistakes = COMPUTED[number].mistakes
    assert len(mistakes) >= 3
    for wrong, reason in mistakes:
        assert check(number, wrong()) == Verdict(False, reason)
    assert len({reason for _, reason in mistakes}) == len(mistakes)


def test_wrong_numbers_that_nobody_listed():
    assert "sign" in check("5.1b", -4).reason
    assert "root" in check("5.1b", 16).reason
    assert "inverse" in check("5.1b", 0.25).reason
    assert "share" in check("12.1b", 54).reason
    assert "radians" in check("2.2", np.radians(25.1)).reason
    assert "place 1 " in check("9.1b", 0.6, 0.7).reason
    assert "2 numbers; got 1" in check("9.1b", 0.6).reason
    assert not check("5.1b", 123)


class TestEncoders:
    X, Y = make_gaussian_views(random_state=0).views
    U = np.linalg.svd(np.hstack([X, -Y]).T)[0]

    def verdict(self, rows):
        return check("2.1c", rows[:, :3], rows[:, 3:])

    def test_any_rotation_is_right(self):
        rows = self.U[:, -2:].T
        assert self.verdict(rows)
        assert self.verdict(ortho_group.rvs(2, random_state=0) @ rows)
        assert check("2.1c", [rows[:, :3], rows[:, 3:]])

    def test_each_mistake_has_its_reason(self):
        d, rows = 3, self.U[:, -2:].T
        flipped = np.r_[np.ones(d), -np.ones(d)]
        plus = np.linalg.svd(np.hstack([self.X, self.Y]).T)[0]
        Xc, Yc = self.X - self.X.mean(0), self.Y - self.Y.mean(0)
        centred = np.linalg.svd(np.hstack([Xc, -Yc]).T)[0]
        cases = {
            "rows of U": self.U[-2:],
            "first columns": self.U[:, :2].T,
            "sign of A²": rows * flipped,
            "centred": centred[:, -2:].T,
            "identity": np.array([[1, 1], [0, 1]]) @ rows,
            "not finite": rows * np.nan,
            "not as small": np.eye(6)[:2],
        }
        for word, wrong in cases.items():
            verdict = self.verdict(wrong)
            assert not verdict
            assert word in verdict.reason, word
        # Without the minus, null vectors are these with the sign turned.
        assert "sign of A²" in self.verdict(plus[:, -2:].T).reason

    def test_shapes(self):
        rows = self.U[:, -2:].T
        turned = check("2.1c", rows[:, :3].T, rows[:, 3:].T)
        assert "(3, 2)" in turned.reason
        assert "Transpose" in turned.reason
        assert "expected" in check("2.1c", rows, rows).reason
        with pytest.raises(ValueError, match="two arrays"):
            check("2.1c", 3.0)


def test_enough_of_them():
    assert len({exercise(number) for number in questions()}) >= 30
    wrong = sum(len(choice.options) - 1 for choice in CHOICES.values())
    wrong += sum(len(question.mistakes) for question in COMPUTED.values())
    assert wrong >= 90


def test_numbers_are_those_of_the_book():
    printed = {}
    for path in sorted(CHAPTERS.glob("[01]*.ipynb")):
        cells = json.loads(path.read_text("utf-8"))["cells"]
        text = "\n".join("".join(cell["source"]) for cell in cells)
        printed[int(path.name[:2])] = text.count("{exercise}")
    for number in questions():
        chapter, place = map(int, exercise(number).split("."))
        assert 1 <= place <= printed[chapter]


def test_answers_of_another_kind_are_refused():
    with pytest.raises(ValueError, match="letters a, b, c, d.*got 2"):
        check("2.1a", 2)
    with pytest.raises(ValueError, match="got nothing"):
        check("2.1a")
    with pytest.raises(ValueError, match="finite real numbers"):
        check("5.1b", "four")
    with pytest.raises(ValueError, match=r"'2.1'; there are 2.1a, 2.1b"):
        check("2.1", "a")
    with pytest.raises(ValueError, match="there are 1.1a"):
        ask("99.9")


def test_ask_shows_everything_but_the_answer(capsys):
    for number in questions():
        ask(number)
        shown = capsys.readouterr().out
        if number in CHOICES:
            for text, reason, _ in CHOICES[number].options:
                assert text in shown
                assert reason not in shown
        else:
            assert "Answer with" in shown
