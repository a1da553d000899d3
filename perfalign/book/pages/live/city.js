/* Two maps of one city: from where the handles are to all that is shown.
   The same as `perfalign.book.city.City`, which tests compare. */
perfalign.city = (() => {
  "use strict";
  const { Matrix, SVD } = mlMatrix;
  const radians = (degrees) => (degrees * Math.PI) / 180;
  const distance = ([a, b], [c, d]) => Math.hypot(a - c, b - d);
  const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

  /* What the two maps say of every place, a row each. */
  const views = (city, state) =>
    city.shapes.map((shape, m) => {
      const pins = new Matrix(city.places).mmul(new Matrix(shape));
      const silent = state.silent && m === 0 ? [0] : [];
      return pins.to2DArray().map(([x, y], i) => {
        const [dx, dy] = state.moved[m][i] || [0, 0];
        const own = city.own[m][i].slice(0, state.own[m]);
        const said = [x + dx, y + dy, ...own];
        const read = !state.noise ? said : said.map(
          (value, j) => value + state.noise * city.errors[m][i][j]);
        return [...read, ...silent];
      });
    });

  /* The place of the second map that a place of the first is paired with. */
  const partner = (i, { pairs, shift }) =>
    i < pairs ? (i + shift) % pairs : i;

  const encode = (rows, A, means) =>
    rows.map((row) =>
      A.map((weights) =>
        weights.reduce((sum, w, j) => sum + w * (row[j] - means[j]), 0)));

  /* Upright as the first map, then in the reader's gauge, and turned; the
     second row fades. */
  const gauge = (pins, latents, state) => {
    const middle = [0, 1].map((j) => mean(pins.map((pin) => pin[j])));
    const about = new Matrix(pins.map(([x, y]) => [x - middle[0], y - middle[1]]));
    const found = new SVD(about.transpose().mmul(new Matrix(latents)));
    const [turn, lean] = [state.turn, state.silent ? state.lean : 0].map(radians);
    const [c, s] = [Math.cos(turn), Math.sin(turn)];
    return new Matrix([[c, -s], [s, c]])
      .mmul(new Matrix(state.gauge).transpose())
      .mmul(new Matrix([[1, 0], [0, Math.cos(lean)]]))
      .mmul(found.leftSingularVectors)
      .mmul(found.rightSingularVectors.transpose());
  };

  /* The places themselves, about the middle of those that were seen. */
  const truth = ({ places, unit }, { pairs }) => {
    const middle = [0, 1].map((j) =>
      mean(places.slice(0, pairs).map((place) => place[j])));
    return places.map((place) => place.map((v, j) => unit * (v - middle[j])));
  };

  const solve = (city, state) => {
    const maps = views(city, state);
    const one = maps[0].slice(0, state.pairs);
    const two = one.map((_, i) => maps[1][partner(i, state)]);
    const found = perfalign.align(one, two, 2);
    const raw = [one, two].map((rows, m) =>
      encode(rows, found.encoders[m], found.means[m]));
    const both = raw[0].map((z, i) => z.map((v, j) => v + raw[1][i][j]));
    const G = gauge(one.map((row) => row.slice(0, 2)), both, state);
    const encoders = found.encoders.map((A) =>
      G.mmul(new Matrix(A)).to2DArray());
    if (state.silent) {
      const [turn, lean] = [radians(state.turn), radians(state.lean)];
      encoders[0][0].splice(-1, 1, -Math.sin(lean) * Math.sin(turn));
      encoders[0][1].splice(-1, 1, Math.sin(lean) * Math.cos(turn));
    }
    const latents = maps.map((rows, m) =>
      encode(rows, encoders[m], found.means[m]));
    const misses = latents[0].map((z, i) =>
      distance(z, latents[1][partner(i, state)]));
    const aim = truth(city, state);
    return {
      ...found,
      encoders,
      latents,
      maps,
      aim,
      truthError: mean(aim.map((place, i) => distance(place, latents[0][i]))),
      seenError: mean(misses.slice(0, state.pairs)),
      newError: mean(misses.slice(state.pairs)),
    };
  };

  /* What the picture shows, in words. Under EXACT is rounding. */
  const say = (state, found, shows) =>
    [
      shows === "angles" && sayAngles(found),
      sayPairs(state, found, shows),
      ...(shows === "truth"
        ? [sayTruth(state, found)]
        : [sayWorth(state, found), sayNew(found), sayChannel(state)]),
    ].filter(Boolean).join(" ");

  const EXACT = 1e-6;
  const number = (value) => value < 0.005 ? "less than 0.01" : value.toFixed(2);
  /* Latents of the pairs have a standard deviation of one, but for what
     silence or the reader's arrows make of it. */
  const far = (value) => `${number(value)} standard deviations`;
  const dimensions = (count) =>
    ["no dimension", "one dimension"][count] || `${count} dimensions`;

  const sayPairs = ({ pairs, shift }, { seenError, shared }, shows) => {
    const subject = `The ${pairs} ${shift ? "shuffled pairs" : "pairs"}`;
    if (seenError < EXACT) return `${subject} agree exactly.`;
    const miss = `miss by ${(shows === "truth" ? number : far)(seenError)}.`;
    return shared === 1
      ? `${subject} agree exactly in one dimension; in the other they ${miss}`
      : `${subject} ${miss}`;
  };

  /* Of what agrees, how much had to. Silence agrees whatever the pairs, and
     so do other maps if it is read: only what was no evidence remains so. */
  const sayWorth = ({ lean }, { shared, vacuous, evidence }) => {
    if (!shared || (lean && evidence)) return "";
    if (!vacuous) {
      return "Maps of two different cities would agree in no dimension: " +
        "this is evidence.";
    }
    const others = "With so few pairs, maps of two different cities would agree";
    return evidence
      ? `${others} in ${dimensions(vacuous)}; the rest is evidence.`
      : `${others} as much: the pairs alone prove nothing.`;
  };

  const sayNew = ({ newError, shared, evidence }) =>
    newError < EXACT
      ? `New places, which were not used, agree ` +
        (shared && !evidence ? "nevertheless." : "as well.")
      : `New places miss by ${far(newError)}.`;

  const sayChannel = ({ silent, lean }) => {
    if (!silent) return "";
    if (!lean) {
      return "Map 1 has a channel that says 0 of every place; no encoder " +
        "reads it.";
    }
    const left = Math.round(100 * Math.cos(radians(lean)));
    return `One encoder row is turned by ${lean}° to the silent channel, ` +
      "which would agree with any map: the city is " +
      (left > 99
        ? "hardly squeezed."
        : `squeezed to ${left ? `${left} % in one direction` : "a line"}.`);
  };

  const sayAngles = ({ angles }) => {
    const [one, two] = angles.map((angle) =>
      angle > 1e-4 && angle < 0.5 ? "less than 1°" : `${angle.toFixed(0)}°`);
    return `The encoders use the two smallest angles, ${one} and ${two}.`;
  };

  const sayTruth = ({ gauge: [[a, b], [c, d]] }, { truthError }) => {
    const flat = Math.abs(a * d - b * c) < 0.02;
    return (truthError < 0.05
      ? "The rings lie on the true places."
      : `The rings are ${number(truthError)} from the true places; ` +
        "the bar is 1.") +
      (flat ? " The arrows lie on one line: the city is squeezed flat." : "");
  };

  return { views, solve, say, partner };
})();
