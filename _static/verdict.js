/* What is said of an answer: as perfalign/book/predictions/_kinds.py and
   perfalign/book/exercises/_computed.py do, with which a test compares it. */
(() => {
  "use strict";
  const listed = (parts) => parts.length < 2 ? parts.join() :
    `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
  const plain = (number) => String(Number(number.toPrecision(3)));
  const both = (...sentences) => sentences.flat().join(" ");

  const miss = (field, number) => {
    const way = number > field.answer ? "high" : "low";
    if (number * field.answer > 0) {
      let ratio = number / field.answer;
      if (Math.abs(number) <= Math.abs(field.answer)) ratio = 1 / ratio;
      if (ratio >= 5) {
        return `about ${plain(Math.floor(ratio + 0.5))} times too ${way}`;
      }
    }
    return `${plain(Math.abs(number - field.answer))} too ${way}`;
  };

  const numbers = ({ fields, mistakes, reason }, answer) => {
    const given = answer.map(Number);
    const said = listed(fields.map(
      ({ unit }, i) => unit ? `${answer[i]} ${unit}` : `${answer[i]}`));
    const isSo = listed(fields.map(({ shown }) => shown));
    const wrong = fields.filter((field, i) =>
      Math.abs(given[i] - field.answer) > field.tol + 1e-9);
    if (!wrong.length) {
      const exact = fields.every(({ answer }, i) => answer === given[i]);
      return both(exact ? `You said ${said}, and so it is.` :
        `You said ${said}, near enough: ${isSo}.`, reason);
    }
    const fits = (ranges) => ranges.every(([low, high], i) =>
      (low ?? -Infinity) <= given[i] && given[i] <= (high ?? Infinity));
    let told = mistakes.filter(([ranges]) => fits(ranges))
      .map(([, why]) => why);
    if (!told.length) {
      told = wrong.map((field) => {
        const by = miss(field, given[fields.indexOf(field)]);
        return fields.length > 1 ? `“${field.label}” is ${by}.` : `That is ${by}.`;
      });
    }
    return both(`You said ${said}. It is ${isSo}.`, told, reason);
  };

  const order = ({ items, mistakes, reason }, answer) => {
    const said = listed(answer);
    const place = (item) => answer.indexOf(item);
    const pairs = items.flatMap((one, i) =>
      items.slice(i + 1).map((two) => place(one) > place(two)));
    const turned = pairs.filter(Boolean).length;
    if (!turned) return both(`You said ${said}, and so it is.`, reason);
    let told = mistakes.filter(([one, two]) => place(one) < place(two))
      .map(([, , why]) => why);
    if (!told.length) {
      told = [`${turned} of ${pairs.length} pairs stand the other way round.`];
    }
    return both(`You said ${said}. It is ${listed(items)}.`, told, reason);
  };

  const choice = ({ verdicts }, answer) => verdicts[answer];

  /* Of an exercise: known answers with what is said of them, the first that
     is as near as the exercise asks for. */
  const computed = ({ known, partly, unknown, rtol }, answer) => {
    const given = answer.map(Number);
    const near = (x, y) => Math.abs(x - y) <= 1e-9 + rtol * Math.abs(y);
    const found = known.find(([values]) =>
      values.every((y, i) => near(given[i], y)));
    if (found) return found[1];
    const right = known[0][0];
    const places = right.flatMap((y, i) => near(given[i], y) ? [i + 1] : []);
    return right.length > 1 && places.length ?
      partly.replace("{}", places.join(", ")) : unknown;
  };

  const kinds = { choice, numbers, order, computed };
  self.perfalign = Object.assign(self.perfalign ?? {}, {
    verdict: (data, answer) => kinds[data.kind](data, answer),
  });
})();
