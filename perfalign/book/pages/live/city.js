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

  const NUMBER = ["no", "one", "two", "three", "four", "five"];
  const dimensions = (s) =>
    `${NUMBER[s] || s} dimension${s === 1 ? "" : "s"}`;
  const capital = (text) => text[0].toUpperCase() + text.slice(1);

  /* What the picture shows, in words. */
  const say = (state, found, shows) =>
    ({ angles: sayAngles, truth: sayTruth }[shows] || sayCounts)(state, found);

  const fresh = ({ newError }) => newError < 1e-6
    ? "New places, never paired, meet as well."
    : `New places miss by ${newError.toFixed(2)}.`;

  const sayCounts = (state, found) => {
    const { shared: s, vacuous: v, evidence } = found;
    const pairing = state.shift ? "shuffled pairs" : "pairs";
    const agree = `${state.pairs} ${pairing}: ${dimensions(s)} ` +
      `${s === 1 ? "agrees" : "agree"} exactly`;
    const worth = !s
      ? `the pairs miss by ${found.seenError.toFixed(2)}`
      : !evidence
        ? "strangers would as well, so it proves nothing"
        : v
          ? `${dimensions(v)} would for strangers too, ${evidence} is evidence`
          : "strangers would share none, so all of it is evidence";
    const silence = !state.silent
      ? ""
      : state.lean
        ? " One encoder row looks into silence: the agreement stays, " +
          "the city is pressed flat."
        : ` The null space now has ${found.nullity} dimensions; ` +
          "one of them is silence.";
    return `${capital(agree)}; ${worth}. ${fresh(found)}${silence}`;
  };

  const sayAngles = (state, found) => {
    const [one, two] = found.angles.map((angle) => `${angle.toFixed(0)}°`);
    return `The two directions that are used meet at ${one} and ${two}. ` +
      `Pairs miss by ${found.seenError.toFixed(2)}. ${fresh(found)}`;
  };

  const sayTruth = ({ gauge: [[a, b], [c, d]] }, found) => {
    const flat = Math.abs(a * d - b * c) < 0.02;
    const met = found.truthError < 0.05
      ? "and the true places are met"
      : `and the true places are missed by ${found.truthError.toFixed(2)}`;
    return `The pairs miss by ${found.seenError.toFixed(2)}, ${met}.` +
      (flat ? " The arrows lie on one line: the city is pressed flat." : "");
  };

  return { views, solve, say, partner };
})();
