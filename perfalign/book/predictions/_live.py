"""The form of a prediction where a kernel runs."""

from collections.abc import Callable

import ipywidgets as widgets

from perfalign.book.forms import inline
from perfalign.book.predictions._kinds import Choice, Numbers, Order

Answer = Callable[[], object]


def live(question: str, kind: Choice | Numbers | Order) -> widgets.VBox:
    """Question, controls, and a button that has the answer judged."""
    controls, answer = _controls(kind)
    commit = widgets.Button(description="commit")
    said = widgets.HTML()

    def tell(button: object) -> None:
        try:
            said.value = inline(kind.verdict(answer()))  # type: ignore[arg-type]
        except (TypeError, ValueError):
            said.value = "An answer is missing."

    commit.on_click(tell)
    asked = widgets.HTML(f"<b>{inline(question)}</b>")
    return widgets.VBox([asked, *controls, commit, said])


def _controls(
    kind: Choice | Numbers | Order,
) -> tuple[list[widgets.Widget], Answer]:
    if isinstance(kind, Choice):
        options = [(text, i) for i, text in enumerate(kind.offers())]
        radio = widgets.RadioButtons(
            options=options, index=None, layout={"width": "max-content"}
        )
        return [radio], lambda: radio.value
    if isinstance(kind, Numbers):
        fields = [
            widgets.Text(
                description=offer, style={"description_width": "initial"}
            )
            for offer in kind.offers()
        ]
        return fields, lambda: [
            field.value.strip().replace(",", ".") for field in fields
        ]
    places = [
        widgets.Dropdown(
            options=kind.offers(), index=None, description=f"{i + 1}."
        )
        for i in range(len(kind.items))
    ]

    def order() -> list[str]:
        items = [place.value for place in places]
        if set(items) != set(kind.items):
            raise ValueError("every item once")
        return items

    return places, order
