/* How two row spaces share the room that the pairs leave them. */
perfalign.draw.Room = (() => {
  "use strict";
  const { svg } = perfalign.draw;
  const WIDTH = 15;

  /* One cell a dimension. The first map fills them from the left, the second
     begins where the stack's rank leaves it no choice; what both fill agrees.
     How far it could still be moved to the right is the evidence. */
  return class Room {
    constructor() {
      this.svg = svg("svg", { viewBox: "-2.7 -0.9 17.9 4.2", role: "img" });
      this.box = document.createElement("div");
      this.box.className = "room";
      this.lines = [0, 1, 2].map(() => document.createElement("p"));
      this.box.append(this.svg, ...this.lines);
    }

    show({ ranks, stackRank, shared, vacuous, evidence }, state) {
      const room = state.pairs - 1;
      const cell = (i, row, name) => svg("rect", {
        x: i + 0.06, y: row, width: 0.88, height: 0.88, rx: 0.12, class: name,
      });
      const write = (text, x, y, name) => {
        const written = svg("text", { x, y, class: name });
        written.textContent = text;
        return written;
      };
      const cells = ["map 1", "map 2", "both"].map((name, row) =>
        write(name, -0.3, [0.78, 1.78, 2.88][row], "name"));
      for (let i = 0; i < Math.min(WIDTH, room); i++) {
        cells.push(cell(i, 0.1, "place"), cell(i, 1.1, "place"));
      }
      for (let i = 0; i < ranks[0]; i++) cells.push(cell(i, 0.1, "one"));
      const first = stackRank - ranks[1];
      for (let i = first; i < stackRank; i++) cells.push(cell(i, 1.1, "two"));
      for (let i = first; i < ranks[0]; i++) {
        cells.push(cell(i, 2.2, ranks[0] - i <= evidence ? "both" : "forced"));
      }
      // Signals of all, and of both beside each other. All are counted with
      // two in common, which is so if nobody touched pairs or pins.
      const [p, q] = state.own;
      const wrong = state.shift
        ? "the pairs are shuffled"
        : state.moved.some((pins) => Object.keys(pins).length) &&
          "a pin is out of its place";
      [2 + p + q, 4 + p + q].forEach((at, i) => {
        const style = wrong && !i ? "stroke: var(--quiet)" : "";
        cells.push(svg("path", { class: "mark", d: `M${at} -0.1V3.2`, style }),
          write(i + 1, at, -0.25, "name at"));
      });
      this.svg.replaceChildren(...cells);
      const lines = [this.why(state.pairs, ranks, shared, vacuous, evidence),
        this.first(room, p, q, wrong), this.second(room, p, q)];
      this.lines.forEach((line, i) => (line.textContent = lines[i]));
      this.svg.setAttribute("aria-label", lines.join(" "));
    }

    why(pairs, [one, two], shared, vacuous, evidence) {
      const room = pairs - 1;
      return `${pairs} pairs leave room for ${room} dimensions: one is lost ` +
        `with the mean, which is taken out of each map. Map 1 fills ${one} of them, map 2 fills ${two}, ` +
        `and they share ${shared}. ` +
        (vacuous
          ? `Forced: ${one} + ${two} − ${room} = ${vacuous}; strangers, ` +
            "maps of two different cities, would share as many. "
          : `Forced: none, as ${one} + ${two} fit into ${room}; strangers, ` +
            "maps of two different cities, would share none. ") +
        `Evidence: ${evidence ? `${evidence} of ${shared}` : "none"}.`;
    }

    first(room, p, q, wrong) {
      const all = 2 + p + q;
      return `Line 1, at ${all} dimensions (${all + 1} pairs): room for all ` +
        `signals, 2 common and ${p} + ${q} own. ` +
        (wrong
          ? `It does not count while ${wrong}.`
          : room < all
            ? "Not reached: own signals pass for common ones, new places miss."
            : "Reached: new places agree.");
    }

    second(room, p, q) {
      const apart = 4 + p + q;
      return `Line 2, at ${apart} dimensions (${apart + 1} pairs): room for both ` +
        `maps side by side, ${2 + p} + ${2 + q}. ` +
        (room < apart
          ? "Not reached: some agreement is forced."
          : "Reached: no agreement is forced.");
    }
  };
})();
