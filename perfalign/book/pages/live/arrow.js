/* The gauge: where a unit step across, or up, of the latents goes. Two arrows
   are all of GL(2), and what is no gauge: arrows on one line. */
perfalign.draw.Arrow = (() => {
  "use strict";
  const { svg, set, hold, holdable, rounded, STEPS } = perfalign.draw;
  const REACH = 2.4;

  return class Arrow {
    constructor(owner, i) {
      this.owner = owner;
      this.number = i;
      this.shaft = svg("path", { class: "shaft" });
      this.tip = svg("path", { class: "tip", d: "M0.2 0L-0.13 0.15V-0.15z" });
      this.grip = svg("circle", { class: "reach", r: 0.4 });
      this.body = svg("g",
        { class: "arrow", role: "slider", tabindex: 0,
          "aria-label": `arrow ${i + 1} of the gauge` },
        this.shaft, this.grip, this.tip);
    }

    join(canvas) {
      canvas.append(this.body);
      holdable(canvas, ".arrow");
      this.body.addEventListener("pointerdown", (event) =>
        hold(canvas, event, this.body, REACH, (step) => this.move(step)));
      this.body.addEventListener("keydown", (event) => {
        if (!STEPS[event.key]) return;
        this.move(STEPS[event.key]);
        event.preventDefault();
      });
    }

    move(step) {
      const { gauge } = this.owner.state;
      gauge[this.number] = gauge[this.number].map((v, j) =>
        Math.max(-REACH, Math.min(REACH, v + step[j])));
      this.owner.refresh(false);
    }

    show({ gauge }) {
      const [x, y] = gauge[this.number];
      const angle = (Math.atan2(-y, x) * 180) / Math.PI;
      this.shaft.setAttribute("d", `M0 0L${x} ${-y}`);
      this.tip.setAttribute("transform", `translate(${x} ${-y})rotate(${angle})`);
      set(this.grip, { cx: x, cy: -y });
      set(this.body, {
        "aria-valuenow": rounded(x),
        "aria-valuetext": `${rounded(x)} across, ${rounded(y)} up`,
      });
    }
  };
})();
