"""The page says of an answer what the package says."""

from math import inf
from pathlib import Path

import numpy as np
import pytest

from perfalign.book.exercises import check, question, questions
from perfalign.book.exercises._choice import Choice
from perfalign.book.exercises._computed import Computed
from perfalign.book.predictions import predict, predictions
from perfalign.book.predictions._kinds import Field, Numbers, Order

SCRIPT = Path(__file__).parents[1] / "_static" / "verdict.js"


@pytest.fixture(scope="module")
def page(browser):
    browser.open("about:blank")
    browser.run(SCRIPT.read_text("utf-8"))
    return browser


def says(page, data, answers):
    return page.run(
        "(data, answers) => answers.map((a) => perfalign.verdict(data, a))",
        data,
        answers,
    )


def random_answers(asked, rng):
    if isinstance(asked, Numbers):
        answers = []
        for _ in range(60):
            scales = rng.choice([-1, 0.1, 0.9, 1, 1.1, 2, 4, 40, 1000], 9)
            answers.append(
                [
                    str(round(float(field.answer * scale + shift), 3))
                    for field, scale, shift in zip(
                        asked.fields, scales, rng.integers(-2, 3, 9)
                    )
                ]
            )
        return answers
    if isinstance(asked, Order):
        return [rng.permutation(asked.items).tolist() for _ in range(30)]
    return [*range(len(asked.options))]


def agrees(page, asked):
    answers = random_answers(asked, np.random.default_rng(0))
    expected = [asked.verdict(answer) for answer in answers]
    return says(page, asked.data(), answers) == expected


@pytest.mark.parametrize("chapter", range(1, 17))
def test_predictions_say_the_same_in_the_page(page, chapter):
    for name in predictions(chapter):
        assert agrees(page, predict(name).kind), name


def test_any_prediction_says_the_same_in_the_page(page):
    fields = Field("one", 11), Field("two", -0.5, "%", tol=0.1)
    mistakes = (
        (((10, 10), (-inf, inf)), "The mean."),
        (((12, inf), (-inf, inf)), "Too many."),
        (((-inf, inf), (0, 0.5)), "Not positive."),
    )
    assert agrees(page, Numbers(fields, mistakes, "So."))
    assert agrees(page, Numbers(fields[:1], (), "So."))
    assert agrees(page, Numbers((Field("three", 1000),), (), "So."))
    items = ("b", "a", "c", "d")
    assert agrees(page, Order(items, (("c", "b", "No."),), "So."))
    assert agrees(page, Order(items, (), "So."))


@pytest.mark.parametrize("number", questions())
def test_exercises_say_the_same_in_the_page(page, number):
    asked = question(number)
    rng = np.random.default_rng(0)
    if isinstance(asked, Choice):
        answers = [*range(len(asked.options))]
        expected = [repr(check(number, "abcdef"[i])) for i in answers]
    elif isinstance(asked, Computed):
        right = np.ravel(asked.solution()).astype(float)
        known = [right] + [wrong() for wrong, _ in asked.mistakes]
        known += [-right, right**2, 100 * right, right / 2, right * 0]
        answers = [
            np.broadcast_to(
                np.ravel(numbers) * (1 + rng.choice([0, r, -r, 3 * r])),
                right.shape,
            ).tolist()
            for numbers in known
            for r in [asked.rtol * 0.9] * 5
        ]
        answers += rng.normal(right, 1, (20, len(right))).tolist()
        mixed = np.where(rng.integers(0, 2, (9, len(right))), right, 0.123)
        answers += mixed.tolist()
        expected = [repr(check(number, *answer)) for answer in answers]
    else:
        return
    assert says(page, asked.data(), answers) == expected
