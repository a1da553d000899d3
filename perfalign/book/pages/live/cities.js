/* Every figure of two maps becomes one that can be touched. */
(() => {
  "use strict";
  const { city: model, draw } = perfalign;
  const html = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  };
  const fresh = (start) => structuredClone(start);
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  class Cities {
    constructor(figure) {
      this.city = JSON.parse(figure.querySelector("script").textContent);
      this.start = { ...this.city.start };
      this.state = fresh(this.start);
      this.panels = [0, 1].map((m) => new draw.Map(this, m));
      this.overlay = new draw.Overlay(this);
      this.spectrum = new draw.Spectrum();
      this.room = this.city.room ? new draw.Room() : null;
      this.sentence = html("p", { class: "says" });
      this.spoken = html("p", { class: "unseen", "aria-live": "polite" });
      this.numbers = html("dl");
      this.matrices = html("div", { class: "matrices" });
      this.details = html("details", {},
        html("summary", {}, "All numbers"),
        this.numbers, this.spectrum.svg, this.matrices);
      const body = html("div", { class: "live" },
        html("div", { class: "maps" },
          ...this.panels.map((panel) => panel.box), this.overlay.box),
        this.sentence, this.spoken,
        ...(this.room ? [this.room.box] : []),
        this.handles(), this.details);
      this.details.addEventListener("toggle", () => this.list(this.found));
      figure.querySelector("img").replaceWith(body);
      this.refresh(false);
    }

    /* Sliders and buttons, in the order in which they are met. */
    handles() {
      const [fewest, most] = this.city.limits;
      const box = html("div", { class: "handles" });
      this.sliders = {
        pairs: this.slider("pairs", fewest, most, 1),
        ...(this.city.room && {
          own0: this.slider("own signals of map 1", 0, 3, 1),
          own1: this.slider("own signals of map 2", 0, 3, 1),
        }),
        turn: this.slider("gauge", -180, 180, 5, "°"),
        lean: this.slider("lean on the silence", 0, 90, 5, "°"),
      };
      this.shuffle = this.button("shuffle the pairs", () => {
        this.state.shift = this.state.shift ? 0 : 1;
      });
      this.silent = this.button("add a silent channel", () => {
        this.state.silent = !this.state.silent;
        this.state.lean = 0;
      });
      const reset = this.button("start again", () => {
        this.state = fresh(this.start);
      });
      reset.removeAttribute("aria-pressed");
      const { pairs, own0, own1, turn, lean } = this.sliders;
      const shown = [pairs, own0, own1, this.shuffle, this.silent, lean, turn];
      box.append(...shown.filter(Boolean).map((e) => e.label || e), reset);
      return box;
    }

    slider(name, min, max, step, unit = "") {
      const input = html("input", { type: "range", min, max, step,
        "aria-label": name, autocomplete: "off" });
      const output = html("output", { "aria-live": "off" });
      const label = html("label", {}, html("span", {}, name), input, output);
      input.addEventListener("input", () => {
        for (const [key, handle] of Object.entries(this.sliders)) {
          if (handle.input !== input) continue;
          const value = Number(input.value);
          if (key.startsWith("own")) this.state.own[key[3]] = value;
          else this.state[key] = value;
        }
        this.refresh(false);
      });
      const show = (value) => {
        input.value = value;
        output.textContent = value + unit;
        input.setAttribute("aria-valuetext", value + unit);
      };
      return { input, label, show };
    }

    button(name, act) {
      const button = html("button", { type: "button",
        "aria-pressed": "false" }, name);
      button.addEventListener("click", () => {
        act();
        this.refresh(true);
      });
      return button;
    }

    move(m, place, step) {
      const [x, y] = this.state.moved[m][place] || [0, 0];
      this.state.moved[m][place] = [x + step[0], y + step[1]];
      this.refresh(false);
    }

    /* Once a frame, however many events came. */
    refresh(glide) {
      this.glide = glide && !still.matches;
      if (this.pending) return;
      this.pending = requestAnimationFrame(() => {
        this.pending = 0;
        this.show();
      });
    }

    show() {
      const { state } = this;
      const found = model.solve(this.city, state);
      this.found = found;
      this.panels.forEach((panel) => panel.show(found.maps, state));
      this.overlay.show(found.latents, state, this.glide);
      if (this.details.open) this.list(found);
      if (this.room) this.room.show(found, state);
      this.sentence.textContent = model.say(state, found);
      clearTimeout(this.timer);
      this.timer = setTimeout(() => {
        this.spoken.textContent = this.sentence.textContent;
      }, 700);
      for (const [key, handle] of Object.entries(this.sliders)) {
        handle.show(key.startsWith("own") ? state.own[key[3]] : state[key]);
      }
      this.shuffle.setAttribute("aria-pressed", Boolean(state.shift));
      this.silent.setAttribute("aria-pressed", state.silent);
      this.sliders.lean.label.hidden = !state.silent;
    }

    list(found) {
      this.spectrum.show(found);
      const rows = {
        "ranks of the maps": found.ranks.join(", "),
        "rank of the stack": found.stackRank,
        "null space": found.nullity,
        "agree exactly, s": found.shared,
        "strangers would, v": found.vacuous,
        "evidence, s − v": found.evidence,
        "pairs miss by": found.seenError.toPrecision(3),
        "new places miss by": found.newError.toPrecision(3),
      };
      this.numbers.replaceChildren(...Object.entries(rows).map(
        ([name, value]) =>
          html("div", {}, html("dt", {}, name), html("dd", {}, value))));
      this.matrices.replaceChildren(...found.encoders.map((A, m) =>
        html("table", {},
          html("caption", {}, `encoder of map ${m + 1}`),
          ...A.map((row) => html("tr", {}, ...row.map((value) =>
            html("td", {}, value.toFixed(2).replace("-", "−"))))))));
    }
  }

  perfalign.live = [...document.querySelectorAll("figure.cities")].map(
    (figure) => new Cities(figure));
})();
