/* How two row spaces share the room that the pairs leave them. */
perfalign.draw.Room = (() => {
  "use strict";
  const { svg } = perfalign.draw;
  const WIDTH = 14;

  /* One cell a dimension. The first map fills them from the left, the second
     begins where the stack's rank leaves it no choice; what both fill agrees.
     How far it could still be moved to the right is the evidence. */
  return class Room {
    constructor() {
      this.svg = svg("svg", { viewBox: "-0.1 0 14.2 3.3", role: "img" });
      this.box = document.createElement("div");
      this.box.className = "room";
      this.text = document.createElement("p");
      this.box.append(this.svg, this.text);
    }

    show({ ranks, stackRank, shared, vacuous, evidence }, state) {
      const room = state.pairs - 1;
      const cell = (i, row, name) => svg("rect", {
        x: i + 0.06, y: row, width: 0.88, height: 0.88, rx: 0.12, class: name,
      });
      const cells = [];
      for (let i = 0; i < Math.min(WIDTH, room); i++) {
        cells.push(cell(i, 0.1, "place"), cell(i, 1.1, "place"));
      }
      for (let i = 0; i < ranks[0]; i++) cells.push(cell(i, 0.1, "one"));
      const first = stackRank - ranks[1];
      for (let i = first; i < stackRank; i++) cells.push(cell(i, 1.1, "two"));
      for (let i = first; i < ranks[0]; i++) {
        cells.push(cell(i, 2.2, i - first < evidence ? "both" : "forced"));
      }
      this.svg.replaceChildren(...cells);
      const free = room - stackRank;
      const left = free === 0
        ? `No cell is left over: in so little room any two such maps meet in ${vacuous}.`
        : `${free} cell${free === 1 ? " is" : "s are"} left over: the maps ` +
          `need only have met in ${vacuous}; evidence is what they meet in ` +
          `beyond that, ${evidence}.`;
      const text = `Room for ${room} dimensions (pairs less one). Map 1 fills ` +
        `${ranks[0]}, map 2 fills ${ranks[1]}, together ${stackRank}: they ` +
        `meet in ${shared}. ${left}`;
      this.text.textContent = text;
      this.svg.setAttribute("aria-label", text);
    }
  };
})();
