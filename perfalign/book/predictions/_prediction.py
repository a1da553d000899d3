"""A prediction, as a cell of a notebook shows it."""

from dataclasses import dataclass
from functools import cached_property

import ipywidgets as widgets
from IPython import get_ipython

from perfalign.book.forms import form
from perfalign.book.predictions._live import live
from perfalign.book.predictions._read import Kind, kind, stored


def predictions(chapter: int) -> list[str]:
    """Names of the predictions that a chapter asks for.

    Parameters
    ----------
    chapter : int

    Returns
    -------
    names : list of str
        What :func:`predict` is called with.

    Examples
    --------
    >>> from perfalign.book.predictions import predictions
    >>> "3.evidence" in predictions(3)
    True
    """
    return list(stored(str(chapter)))


def predict(name: str) -> "Prediction":
    """Ask for a prediction, before the page shows what is so.

    Parameters
    ----------
    name : str
        The chapter, a dot, and the name of the prediction.

    Returns
    -------
    prediction : Prediction
        As the last expression of a cell, it is a form.

    Raises
    ------
    ValueError
        If there is no such prediction.

    Examples
    --------
    >>> from perfalign.book.predictions import predict
    >>> print(predict("3.evidence").verdict([10, 13]))  # doctest: +ELLIPSIS
    You said 10 and 13. It is 11 and 13. ...
    """
    chapter = str(name).partition(".")[0]
    entries = stored(chapter) if chapter.isdigit() else {}
    if name not in entries:
        known = ", ".join(entries) or "none"
        raise ValueError(
            f"No prediction {name!r}; of this chapter there are: {known}."
        )
    entry = entries[name]
    return Prediction(name, entry["question"], kind(entry))


@dataclass(frozen=True)
class Prediction:
    """A question and what is said of every answer to it.

    In the page it hides what follows, up to the comment ``<!-- seen NAME -->``
    in the text or else the next heading, until the reader has committed. In a
    running kernel it is a form that answers in its place; in the PDF and
    where nothing runs, a question and a list.

    Parameters
    ----------
    name : str
    question : str
        Plain text; what stands between backticks is set as code.
    kind : Choice, Numbers or Order
        What is asked for.
    """

    name: str
    question: str
    kind: Kind

    def __repr__(self) -> str:
        return f"<Prediction: {self.question}>"

    def verdict(self, answer: object) -> str:
        """What is said of an answer.

        Parameters
        ----------
        answer : int, sequence of numbers or sequence of str
            Number of the option from 0, a number a field, or all items in
            order.

        Returns
        -------
        verdict : str
        """
        return self.kind.verdict(answer)  # type: ignore[arg-type]

    def _repr_html_(self) -> str:
        offers, data = self.kind.offers(), self.kind.data()
        return form(self.name, self.question, offers, data, hides=True)

    @cached_property
    def widget(self) -> widgets.VBox:
        """The form, with a running kernel."""
        return live(self.question, self.kind)

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> dict[str, str]:
        offers = "\n".join(f"- {offer}" for offer in self.kind.offers())
        bundle = {
            "text/plain": repr(self),
            "text/markdown": f"**{self.question}**\n\n{offers}",
            "text/html": self._repr_html_(),
        }
        # Front ends that know widgets prefer them to HTML.
        if getattr(get_ipython(), "kernel", None) is not None:
            bundle |= self.widget._repr_mimebundle_()
            bundle["text/plain"] = repr(self)
        return bundle
