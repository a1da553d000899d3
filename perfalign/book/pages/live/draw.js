/* The pictures of two maps, each an SVG that follows the numbers. */
perfalign.draw = (() => {
  "use strict";
  const svg = (tag, attributes = {}, ...children) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    set(element, attributes);
    element.append(...children);
    return element;
  };
  const set = (element, attributes) => {
    for (const [name, value] of Object.entries(attributes)) {
      element.setAttribute(name, value);
    }
  };
  /* Many lines, or circles, are one path: a browser draws that at once. */
  const at = ([x, y]) => `${x.toFixed(3)} ${(-y).toFixed(3)}`;
  const segments = (pairs) => pairs.map(([a, b]) => `M${at(a)}L${at(b)}`).join("");
  const circles = (spots, r) => spots.map(([x, y]) =>
    `M${at([x - r, y])}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`
  ).join("");
  const squares = (spots, r) => spots.map(([x, y]) =>
    `M${at([x - r, y - r])}h${2 * r}v${-2 * r}h${-2 * r}z`).join("");
  const panel = (title, className, canvas) => {
    const box = document.createElement("div");
    const heading = document.createElement("p");
    box.className = className;
    heading.textContent = title;
    box.append(heading, canvas);
    return box;
  };
  /* A bar of length one, as maps have. */
  const scale = (gauged) => {
    const text = svg("text", { x: -2.45, y: 2.28 });
    text.textContent = gauged.length ? "1" : "1 sd";
    return svg("g", { class: "scale" },
      svg("path", { d: "M-2.45 2.4h1" }), text);
  };
  /* Two digits, and no sign before a zero. */
  const rounded = (value) => value.toFixed(2).replace(/^-(?=0\.00$)/, "");
  const letter = (place, count) =>
    count > 26 ? "" : String.fromCharCode(65 + place);
  const STEP = 0.05;
  const STEPS = {
    ArrowLeft: [-STEP, 0],
    ArrowRight: [STEP, 0],
    ArrowUp: [0, STEP],
    ArrowDown: [0, -STEP],
  };

  const point = (canvas, { clientX, clientY }) => {
    const { x, y } = new DOMPoint(clientX, clientY).matrixTransform(
      canvas.getScreenCTM().inverse());
    return [x, -y];
  };

  /* What is held follows mouse or finger, step by step. */
  const hold = (canvas, event, held, reach, move) => {
    held.focus({ preventScroll: true });
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    let last = point(canvas, event);
    const follow = (moved) => {
      const now = point(canvas, moved).map((v) =>
        Math.max(-reach, Math.min(reach, v)));
      move([now[0] - last[0], now[1] - last[1]]);
      last = now;
    };
    const end = (released) => {
      if (released.type === "pointerup") follow(released);
      canvas.removeEventListener("pointermove", follow);
      held.classList.remove("held");
    };
    held.classList.add("held");
    canvas.addEventListener("pointermove", follow);
    for (const name of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(name, end, { once: true });
    }
  };
  // A finger on what can be held moves it; elsewhere it moves the page.
  const holdable = (canvas, name) => canvas.addEventListener("touchstart",
    (e) => e.target.closest(name) && e.preventDefault(), { passive: false });

  /* A map whose pins are dragged, or moved by keys: one stop of the tabulator
     for the map, Page Up and Page Down for the pin. */
  class Map {
    constructor(owner, m) {
      const { city } = owner;
      this.owner = owner;
      this.number = m;
      this.streets = svg("path", { class: "streets" });
      this.pins = city.places.map((_, i) => this.pin(i));
      this.canvas = svg("svg",
        { viewBox: "-1.3 -1.3 2.6 2.6", role: "group",
          "aria-label": `map ${m + 1}` },
        this.streets, ...this.pins);
      this.box = panel(`map ${m + 1}`, `map view${m + 1}`, this.canvas);
      this.choose(0);
      this.canvas.addEventListener("pointerdown", (e) => this.grasp(e));
      holdable(this.canvas, ".pin");
      this.canvas.addEventListener("keydown", (e) => this.press(e));
    }

    pin(i) {
      const count = this.owner.city.places.length;
      const name = letter(i, count);
      const text = svg("text", { y: 0.052 });
      text.textContent = name;
      return svg("g",
        { class: "pin", role: "slider", tabindex: -1,
          "aria-label": `place ${name || i + 1} on map ${this.number + 1}` },
        svg("circle", { class: "reach", r: count > 26 ? 0.07 : 0.2 }),
        svg("circle", { class: "spot", r: count > 26 ? 0.03 : 0.11 }), text);
    }

    choose(i) {
      this.pins.forEach((pin, j) => pin.setAttribute("tabindex", i - j ? -1 : 0));
      this.chosen = i;
    }

    grasp(event) {
      if (!event.target.closest(".pin")) return;
      const start = point(this.canvas, event);
      const far = ([x, y]) => Math.hypot(x - start[0], y - start[1]);
      const order = this.spots.map((spot, i) => [far(spot), i]);
      const [, place] = order.sort((a, b) => a[0] - b[0])[0];
      this.choose(place);
      hold(this.canvas, event, this.pins[place], 1.25, (step) =>
        this.owner.move(this.number, place, step));
    }

    press(event) {
      const turn = { PageDown: 1, PageUp: -1 }[event.key];
      const count = this.pins.length;
      if (turn) {
        this.choose((this.chosen + turn + count) % count);
        this.pins[this.chosen].focus({ preventScroll: true });
      } else if (STEPS[event.key]) {
        this.owner.move(this.number, this.chosen, STEPS[event.key]);
      } else return;
      event.preventDefault();
    }

    show(maps, state) {
      const rows = maps[this.number];
      const count = rows.length;
      this.spots = rows.map(([x, y]) => [x, y]);
      this.streets.setAttribute("d", segments(
        this.owner.city.streets.map(([i, j]) => [this.spots[i], this.spots[j]])));
      const owner = [];
      // A pin of the second map bears the name of its partner.
      rows.forEach((_, i) => {
        owner[this.number ? perfalign.city.partner(i, state) : i] = i;
      });
      this.pins.forEach((pin, i) => {
        const [x, y] = this.spots[i];
        const own = state.own[this.number] ? rows[i][2] : 0;
        const [, spot, text] = pin.children;
        const key = [x, y, own, owner[i], i < state.pairs].join();
        if (pin.key === key) return;
        pin.key = key;
        pin.setAttribute("transform", `translate(${x} ${-y})`);
        pin.setAttribute("aria-valuenow", rounded(x));
        pin.setAttribute("aria-valuetext",
          `${rounded(x)} across, ${rounded(y)} up`);
        pin.classList.toggle("new", i >= state.pairs);
        if (count > 26) return;
        spot.setAttribute("r", Math.max(0.08, Math.min(0.15, 0.11 + 0.02 * own)));
        text.textContent = letter(owner[i], count);
      });
    }
  }

  /* Both maps in the common space: rings of the first, dots of the second. */
  class Overlay {
    constructor(owner) {
      const { city } = owner;
      const many = city.places.length > 26;
      const path = (name) => svg("path", { class: name });
      this.radii = many ? [0.06, 0.035] : [0.13, 0.075];
      this.city = city;
      this.streets = [path("streets view1"), path("streets view2")];
      this.parts = ["gap", "ring", "dot"].map((name) =>
        [path(name), path(`${name} new`)]);
      this.aim = path("aim");
      this.arrows = city.handles.includes("gauge")
        ? [0, 1].map((i) => new perfalign.draw.Arrow(owner, i)) : [];
      this.canvas = svg("svg",
        { viewBox: "-2.6 -2.6 5.2 5.2",
          role: this.arrows.length ? "group" : "img",
          "aria-label": "both maps, laid on each other by their encoders; " +
            "the sentence below says how well they agree" },
        this.aim, ...this.streets, ...this.parts.flat(), scale(this.arrows));
      this.arrows.forEach((arrow) => arrow.join(this.canvas));
      this.box = panel("both, by their encoders", "map overlay", this.canvas);
    }

    /* A change of all at once is followed; a drag is met at once. */
    show({ latents, aim }, state, glide) {
      this.state = state;
      if (this.city.shows === "truth") {
        this.aim.setAttribute("d", squares(aim, 0.09));
      }
      this.arrows.forEach((arrow) => arrow.show(state));
      cancelAnimationFrame(this.frame);
      const from = this.shown;
      if (!glide || !from) return this.place(latents);
      const begin = performance.now();
      const step = (now) => {
        const t = Math.min(1, Math.max(0, (now - begin) / 450));
        const share = t * t * (3 - 2 * t);
        this.place(latents.map((rows, m) => rows.map((row, i) =>
          row.map((v, j) => from[m][i][j] + share * (v - from[m][i][j])))));
        if (t < 1) this.frame = requestAnimationFrame(step);
      };
      this.frame = requestAnimationFrame(step);
    }

    place(latents) {
      const n = this.state.pairs;
      const [one, two] = latents;
      const [gap, ring, dot] = this.parts;
      const [wide, narrow] = this.radii;
      this.shown = latents;
      this.streets.forEach((path, m) => path.setAttribute("d", segments(
        this.city.streets.map(([i, j]) => [latents[m][i], latents[m][j]]))));
      const gaps = one.map((spot, i) =>
        [spot, two[perfalign.city.partner(i, this.state)]]);
      [[0, n], [n, one.length]].forEach(([from, to], k) => {
        gap[k].setAttribute("d", segments(gaps.slice(from, to)));
        ring[k].setAttribute("d", circles(one.slice(from, to), wide));
        dot[k].setAttribute("d", circles(two.slice(from, to), narrow));
      });
    }
  }

  /* Misfits of the stack: those that are zero are the agreement. */
  class Spectrum {
    constructor() {
      this.svg = svg("svg", { class: "spectrum", viewBox: "0 0 12 3.2",
        role: "img" });
    }

    show({ singularValues, shared }) {
      const count = singularValues.length;
      const bars = singularValues.map((value, i) => svg("rect", {
        x: i + 0.15,
        y: 3 - 2 * value,
        width: 0.7,
        height: Math.max(0.06, 2 * value),
        class: i < count - shared ? "" : "zero",
      }));
      this.svg.replaceChildren(...bars);
      const list = singularValues.map((value) => value.toFixed(3)).join(", ");
      this.svg.setAttribute("aria-label",
        `singular values: ${list}`);
    }
  }

  return {
    Map, Overlay, Spectrum, svg, set, hold, holdable, rounded, STEPS,
  };
})();
