/* The principal angles between what the two maps can say. */
perfalign.draw.Angles = (() => {
  "use strict";
  const { svg } = perfalign.draw;
  const WIDE = 1.7;

  /* A fan an angle: a unit signal of each map, and the chord between them,
     which is what the pair misses. The first two are used. */
  const fan = (angle, i) => {
    const turn = (angle * Math.PI) / 180;
    const [x, y] = [Math.cos(turn), Math.sin(turn)];
    const text = svg("text", { x: 0.5, y: 0.34 });
    text.textContent = `${angle.toFixed(0)}°`;
    return svg("g",
      { class: i < 2 ? "fan" : "fan new", transform: `translate(${WIDE * i} 0)` },
      svg("path", { class: "arc", d: `M0.35 0A0.35 0.35 0 0 0 ${0.35 * x} ${-0.35 * y}` }),
      svg("path", { class: "side view1", d: "M0 0H1" }),
      svg("path", { class: "side view2", d: `M0 0L${x} ${-y}` }),
      svg("path", { class: "chord", d: `M1 0L${x} ${-y}` }),
      text);
  };

  return class Angles {
    constructor() {
      this.svg = svg("svg", { viewBox: "-0.1 -1.1 8.4 1.55", role: "img" });
      this.box = document.createElement("div");
      this.box.className = "fans";
      this.box.append(this.svg);
    }

    show({ angles }) {
      this.svg.replaceChildren(...angles.map(fan));
      const list = angles.map((angle) => `${angle.toFixed(0)}°`).join(", ");
      this.svg.setAttribute("aria-label",
        `principal angles between the two row spaces: ${list}`);
    }
  };
})();
