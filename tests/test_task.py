"""Calls that another thread computes, or this one rather than wait."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from perfalign.summary._task import Task


@pytest.fixture
def busy():
    """A pool whose only thread is busy until the event is set."""
    begun, go_on = threading.Event(), threading.Event()

    def wait():
        begun.set()
        assert go_on.wait(60)
        return threading.get_ident()

    with ThreadPoolExecutor(1) as pool:
        first = Task(wait, pool)
        assert begun.wait(60)
        yield pool, first, go_on
        go_on.set()


def test_without_a_pool_it_is_computed_when_asked_for():
    calls = []
    task = Task(lambda: calls.append(1) or len(calls), None)
    assert not calls
    assert [task.result(), task.result()] == [1, 1]


def test_what_nobody_has_begun_is_computed_here(busy):
    pool, _, _ = busy
    task = Task(threading.get_ident, pool)
    assert task.result() == threading.get_ident()


def test_who_would_wait_computes_others_until_it_is_there(busy):
    pool, first, go_on = busy
    order = []

    def call(number):
        order.append((number, threading.get_ident()))
        if number == 2:
            go_on.set()
            first.future.result(60)
        return number

    tasks = [Task(lambda i=i: call(i), pool) for i in range(5)]
    here = threading.get_ident()
    assert first.result(reversed(tasks)) != here
    # The last first; what has begun elsewhere is left to others.
    assert [found for found in order if found[1] == here] == [
        (4, here),
        (3, here),
        (2, here),
    ]
    assert [task.result() for task in tasks] == list(range(5))
    assert sorted(number for number, _ in order) == list(range(5))


@pytest.mark.parametrize("elsewhere", [False, True])
def test_errors_are_raised_where_the_result_is_wanted(elsewhere):
    with ThreadPoolExecutor(1) as pool:
        task = Task(lambda: 1 / 0, pool if elsewhere else None)
        with pytest.raises(ZeroDivisionError):
            task.result()


def test_what_is_given_up_runs_no_more(busy):
    pool, first, go_on = busy
    calls = []
    task = Task(lambda: calls.append(1), pool)
    task.give_up()
    threading.Timer(0.05, go_on.set).start()
    # It has begun: this waits until it has ended.
    first.give_up()
    assert first.future.done()
    pool.submit(int).result(60)
    assert not calls
