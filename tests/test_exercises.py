"""Right answers pass, and each typical wrong one gets its own reason."""

import json
import re
from collections import Counter
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ortho_group

from perfalign.book.exercises import (
    Verdict,
    ask,
    check,
    exercise_of,
    forms,
    grade,
    question,
    questions,
)
from perfalign.book.exercises._choice import Choice
from perfalign.book.exercises._computed import Computed
from perfalign.book.forms import inline
from perfalign.datasets import make_gaussian_views

ALL = {number: question(number) for number in questions()}
CHOICES = {n: asked for n, asked in ALL.items() if isinstance(asked, Choice)}
COMPUTED = {
    n: asked for n, asked in ALL.items() if isinstance(asked, Computed)
}
CHAPTERS = Path(__file__).parents[1] / "chapters"


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


@pytest.mark.parametrize("number", COMPUTED)
def test_each_number_has_a_label(number):
    question = COMPUTED[number]
    assert len({*question.labels}) == np.size(question.solution())


def test_a_page_has_a_form_for_every_question_but_that_for_arrays():
    asked = "".join(
        form
        for number in dict.fromkeys(map(exercise_of, questions()))
        for form in forms(number)
    )
    assert re.findall('data-name="([^"]+)"', asked) == [
        number for number in questions() if number != "2.1c"
    ]
    for number in CHOICES:
        for text, _, _ in CHOICES[number].options:
            assert f"<li>{inline(text)}</li>" in asked


@pytest.mark.parametrize("number", [n for n in ALL if ALL[n].others])
def test_other_numbers_have_other_answers(number):
    asked = ALL[number]
    cases = [tuple(asked.numbers.values()), *asked.others]
    answers = [asked.right()(*case) for case in cases]
    for case in asked.others:
        assert len(case) == len(asked.numbers)
        assert asked.said(asked.right(), case=case)
        for wrong, reason in asked.wrong():
            assert asked.said(wrong, case=case) == Verdict(False, reason)
    for case, answer in zip(cases[1:], answers):
        assert not asked.said(answer, case=case)


def test_a_function_is_an_answer(capsys):
    assert check("6.3", lambda n, p: (p * (1 - p) / n) ** 0.5)
    assert "the root" in check("6.3", lambda n, p: p * (1 - p) / n).reason
    assert "No answer yet" in check("6.3", lambda n, p: ...).reason
    assert check("2.1a", lambda: "c")
    ask("6.3")
    assert "or with a function of labels, share.)" in capsys.readouterr().out


class TestGrade:
    @pytest.mark.parametrize("number", ALL)
    def test_a_right_answer_has_all_points(self, number):
        right = ALL[number].right()
        assert grade(number, right) == ALL[number].points
        assert grade(number, right()) == 1

    @pytest.mark.parametrize("number", ALL)
    def test_wrong_ones_have_none_and_are_told_why(self, number, capsys):
        for wrong, reason in ALL[number].wrong():
            assert grade(number, wrong) == 0
            assert f"Not yet. {reason}" in capsys.readouterr().out

    def test_what_is_right_for_the_numbers_asked_is_half(self, capsys):
        assert grade("6.3", lambda n, p: 0.5 / n**0.5) == 1
        assert "For other numbers: Not yet. No mis" in capsys.readouterr().out
        assert grade("6.3", 0.07071) == 1
        assert "A function of the numbers" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (..., "No answer yet"),
            ("four", "ValueError: The answer must be finite"),
            (lambda: 0.1, "TypeError"),
            (lambda labels, share: labels / 0, "ZeroDivisionError"),
        ],
    )
    def test_whatever_is_handed_in_is_graded(self, answer, reason, capsys):
        assert grade("6.3", answer) == 0
        assert reason in capsys.readouterr().out


def test_wrong_numbers_that_nobody_listed():
    assert "sign" in check("5.1b", -4).reason
    assert "root" in check("5.1b", 16).reason
    assert "inverse" in check("5.1b", 0.25).reason
    assert "share" in check("12.1b", 54).reason
    assert "radians" in check("2.2", np.radians(25.1)).reason
    assert "place 1 " in check("9.1b", 0.6, 0.7).reason
    assert "2 numbers; got 1" in check("9.1b", 0.6).reason
    assert not check("5.1b", 123)
    assert "radians" not in check("5.1b", np.radians(4)).reason


def test_the_inverse_of_a_gauge_has_an_error_of_its_own():
    concepts = 2 * np.eye(3)
    error = np.linalg.norm(concepts / 3 - concepts, axis=1).mean()
    assert "not H⁻¹ / 3" in check("5.1b", error).reason


@pytest.mark.parametrize("number", [0.139, 0.14, 1 / np.sqrt(50)])
def test_two_standard_errors_are_a_coin_of_spread_one(number):
    assert "Twice too much" in check("6.3", number).reason


def test_only_several_questions_about_an_exercise_have_letters():
    count = Counter(map(exercise_of, questions()))
    for number in questions():
        assert (exercise_of(number) != number) == (
            count[exercise_of(number)] > 1
        )


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

    def test_four_digits_are_enough(self):
        assert self.verdict(self.U[:, -2:].T.round(4))

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
            "not independent": rows[[0, 0]],
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
        assert check("2.1c", rows.reshape(2, 2, 3).swapaxes(0, 1))

    @pytest.mark.parametrize(
        ("answer", "got"),
        [
            ([], "nothing"),
            (["ab"], "str"),
            ([None], "NoneType"),
            ([np.ones((2, 3)), np.full((2, 3), 1j)], "ndarray, ndarray"),
            ([np.ones((2, 3))] * 3, "ndarray, ndarray, ndarray"),
            ([[[1, 2], [3]], np.ones((2, 3))], "list, ndarray"),
            ([{"A": np.ones((2, 3))}], "dict"),
        ],
    )
    def test_anything_but_two_arrays_is_refused(self, answer, got):
        with pytest.raises(ValueError, match=f"two arrays .* got {got}\\."):
            check("2.1c", *answer)


def test_enough_of_them():
    assert len({exercise_of(number) for number in questions()}) >= 30
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
        chapter, place = map(int, exercise_of(number).split("."))
        assert 1 <= place <= printed[chapter]


def test_chapters_name_questions_that_exist():
    asked = set()
    for path in sorted(CHAPTERS.glob("[01]*.ipynb")):
        text = path.read_text("utf-8").replace('\\"', '"')
        asked |= set(re.findall(r'(?:ask|check)\("([\d.a-f]+)"', text))
    assert len(asked) >= 14
    assert asked <= set(questions())


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


@pytest.mark.parametrize("letter", ["C", "(c)", " c ", "c)"])
def test_a_letter_may_be_written_as_it_is_printed(letter):
    assert check("2.1a", letter)


@pytest.mark.parametrize(
    "answer",
    ["", "e", "ab", b"c", 3, True, None, np.nan, 1j, ["c"], np.array(["c"])],
    ids=repr,
)
def test_what_is_no_letter_is_refused(answer):
    with pytest.raises(ValueError, match=r"letters a, b, c, d, as a string"):
        check("2.1a", answer)


@pytest.mark.parametrize(
    "answer",
    [
        "4",
        b"4",
        True,
        None,
        np.inf,
        4 + 0j,
        np.array([4 + 0j]),
        {4},
        {"a": 4},
        [[1, 2], [3]],
        10**400,
        np.datetime64("1974"),
    ],
    ids=lambda answer: repr(answer)[:20],
)
def test_what_is_no_number_is_refused(answer):
    with pytest.raises(ValueError, match="finite real numbers; got"):
        check("5.1b", answer)


def test_numbers_come_in_many_forms():
    for four in (4, 4.0, [4], [[4]], np.array(4), np.float32(4), Fraction(4)):
        assert check("5.1b", four)
    edge, signal = COMPUTED["9.1b"].solution()
    assert check("9.1b", [[edge], [signal]])
    assert check("9.1b", pd.DataFrame([[edge, signal]]))
    with pytest.raises(ValueError, match="finite real numbers"):
        check("9.1b", edge, "0.33")


@pytest.mark.parametrize("number", questions())
def test_dots_are_an_answer_to_come_wherever_they_stand(number):
    for dots in ([...], [[1.0, ...]], [(0.6, [...])], [1.0, ...]):
        assert "No answer yet" in check(number, *dots).reason


@pytest.mark.parametrize("number", [2.1, None, ["2.1a"], {}, ...])
def test_what_is_no_number_of_a_question(number):
    with pytest.raises(ValueError, match="No question .*there are .*2.1a"):
        check(number, "a")


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
