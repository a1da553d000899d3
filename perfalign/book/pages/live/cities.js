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
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  class Cities {
    constructor(figure) {
      this.city = JSON.parse(figure.querySelector("script").textContent);
      this.state = structuredClone(this.city.start);
      this.panels = [0, 1].map((m) => new draw.Map(this, m));
      this.overlay = new draw.Overlay(this);
      this.spectrum = new draw.Spectrum();
      const More = { room: draw.Room, angles: draw.Angles }[this.city.shows];
      this.more = More ? [new More()] : [];
      this.sentence = html("p", { class: "says" });
      this.spoken = html("p", { class: "unseen", "aria-live": "polite" });
      this.numbers = html("dl");
      this.matrices = html("div", { class: "matrices" });
      this.details = html("details", {},
        html("summary", {}, "All numbers"),
        this.numbers, html("p", {}, "Singular values of both maps stacked, " +
          "each in units of its own spread; zero where they agree:"),
        this.spectrum.svg, this.matrices);
      const body = html("div", { class: "live" },
        html("div", { class: "maps" },
          ...this.panels.map((panel) => panel.box), this.overlay.box),
        this.sentence, this.spoken,
        ...this.more.map(({ box }) => box),
        this.handles(), this.details);
      this.details.addEventListener("toggle", () => this.list(this.found));
      figure.querySelector("img").replaceWith(body);
      this.refresh(false);
    }

    /* Sliders and buttons, in the order in which they are met. */
    handles() {
      const [fewest, most] = this.city.limits;
      const state = () => this.state;
      const own = () => this.state.own;
      this.shuffle = this.button("shuffle the pairs", () => {
        this.state.shift = this.state.shift ? 0 : 1;
      });
      this.silent = this.button("add a silent channel", () => {
        this.state.silent = !this.state.silent;
        this.state.lean = 0;
      });
      this.lean = this.slider(
        "turn one row to it", state, "lean", 0, 90, 5, "°");
      const all = {
        pairs: [this.slider("pairs", state, "pairs", fewest, most, 1)],
        own: [0, 1].map((m) =>
          this.slider(`own signals of map ${m + 1}`, own, m, 0, 3, 1)),
        noise: [this.slider("noise", state, "noise", 0, 1, 0.05)],
        shuffle: [this.shuffle],
        silent: [this.silent, this.lean],
        turn: [this.slider("turn both maps", state, "turn", -180, 180, 5, "°")],
        gauge: [],
      };
      const used = this.city.handles.flatMap((name) => all[name]);
      this.sliders = used.filter(({ label }) => label);
      const reset = this.button("start again", () => {
        this.state = structuredClone(this.city.start);
      });
      reset.removeAttribute("aria-pressed");
      const box = html("div", { class: "handles" });
      box.append(...used.map((part) => part.label || part), reset);
      return box;
    }

    /* Of the number that is under `key` in what `place` returns. */
    slider(name, place, key, min, max, step, unit = "") {
      const input = html("input", { type: "range", min, max, step,
        "aria-label": name, autocomplete: "off" });
      const output = html("output", { "aria-live": "off" });
      const label = html("label", {}, html("span", {}, name), input, output);
      input.addEventListener("input", () => {
        place()[key] = Number(input.value);
        this.refresh(false);
      });
      const show = () => {
        const value = place()[key];
        input.value = value;
        output.textContent = value + unit;
        input.setAttribute("aria-valuetext", value + unit);
      };
      return { label, show };
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
      this.overlay.show(found, state, this.glide);
      if (this.details.open) this.list(found);
      this.more.forEach((part) => part.show(found, state));
      this.sentence.textContent = model.say(state, found, this.city.shows);
      clearTimeout(this.timer);
      this.timer = setTimeout(() => {
        this.spoken.textContent = this.sentence.textContent;
      }, 700);
      this.sliders.forEach((slider) => slider.show());
      this.shuffle.setAttribute("aria-pressed", Boolean(state.shift));
      this.silent.setAttribute("aria-pressed", state.silent);
      this.lean.label.hidden = !state.silent;
    }

    list(found) {
      this.spectrum.show(found);
      const rows = {
        "ranks of the maps": found.ranks.join(", "),
        "rank of both, stacked": found.stackRank,
        "null space of the stack": found.nullity,
        "shared dimensions, s": found.shared,
        "forced by few pairs, v": found.vacuous,
        "evidence in the data, s − v": found.evidence,
        "pairs miss by": found.seenError.toPrecision(3),
        "new places miss by": found.newError.toPrecision(3),
        ...(this.city.shows === "truth" &&
          { "rings from the true places": found.truthError.toPrecision(3) }),
      };
      this.numbers.replaceChildren(...Object.entries(rows).map(
        ([name, value]) =>
          html("div", {}, html("dt", {}, name), html("dd", {}, value))));
      this.matrices.replaceChildren(...found.encoders.map((A, m) =>
        html("table", {},
          html("caption", {}, `encoder of map ${m + 1}`),
          ...A.map((row) => html("tr", {}, ...row.map((value) =>
            html("td", {}, draw.rounded(value).replace("-", "−"))))))));
    }
  }

  perfalign.live = [...document.querySelectorAll("figure.cities")].map(
    (figure) => new Cities(figure));
})();
