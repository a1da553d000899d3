/* How two row spaces share the room that the pairs leave them. */
perfalign.draw.Room = (() => {
  "use strict";
  const { svg } = perfalign.draw;
  const WIDTH = 15;
  const count = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;

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
      // Signals of all, and of both beside each other, if nobody touched them.
      const [p, q] = state.own;
      const still = !state.shift && !state.moved.some((m) => Object.keys(m).length);
      const marks = still ? { [2 + p + q]: "1", [4 + p + q]: "2" } : {};
      for (const [at, name] of Object.entries(marks)) {
        cells.push(svg("path", { class: "mark", d: `M${at} -0.1V3.2` }),
          write(name, at, -0.25, "name at"));
      }
      this.svg.replaceChildren(...cells);
      const lines = [this.why(room, ranks, stackRank, shared, vacuous, evidence),
        ...(still ? this.thresholds(room, p, q) : ["", ""])];
      this.lines.forEach((line, i) => (line.textContent = lines[i]));
      this.svg.setAttribute("aria-label", lines.join(" "));
    }

    why(room, [one, two], joint, shared, vacuous, evidence) {
      const all = `Room for ${count(room, "dimension")}: the pairs less one. ` +
        `The maps fill ${one} and ${two}, together ${joint}, and so they meet ` +
        `in ${shared}. `;
      return all + (room === joint
        ? "No cell is left over: strangers would meet in as many."
        : `${count(room - joint, "cell")} left over: moved apart as far as ` +
          `that, strangers would meet in ${vacuous}. Evidence: ${evidence}.`);
    }

    thresholds(room, p, q) {
      const [all, apart] = [2 + p + q, 4 + p + q];
      return [
        `1: all signals, ${all} of them, 2 common and ${p} + ${q} own` +
          (room < all
            ? ", have no room yet: new places do not meet."
            : ", have room: new places meet, whatever is proved."),
        `2: both maps beside each other, ${2 + p} + ${2 + q}` +
          (room < apart
            ? ", have no room yet: strangers meet, too."
            : ", have room: strangers need not meet at all."),
      ];
    }
  };
})();
