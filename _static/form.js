/* Forms: predictions, which hide what follows until the reader has committed,
   and the questions of exercises. */
(() => {
  "use strict";
  const all = (selector, within = document) =>
    [...within.querySelectorAll(selector)];
  const make = (tag, className, text = "") =>
    Object.assign(document.createElement(tag), { className, textContent: text });
  const button = (text, type = "button") =>
    Object.assign(make("button", "", text), { type });

  /* What a page remembers; a file from the disk may not be allowed to. */
  const recall = (key) => {
    try {
      return JSON.parse(localStorage.getItem(`perfalign ${key}`));
    } catch {
      return null;
    }
  };
  const remember = (key, value) => {
    try {
      if (value === null) localStorage.removeItem(`perfalign ${key}`);
      else localStorage.setItem(`perfalign ${key}`, JSON.stringify(value));
    } catch { /* then it is forgotten */ }
  };

  /* Code between backticks. */
  const write = (element, text) => element.replaceChildren(
    ...text.split("`").map((part, i) => i % 2 ? make("code", "", part) : part));

  /* ------------------------------------------------------------- controls */

  /* Each kind makes its controls of the list; read() returns the answer, or
     what is missing as an Error, and show(answer) puts one back. */
  const kinds = {
    choice(name, list) {
      const inputs = all("li", list).map((item, i) => {
        const input = Object.assign(make("input", ""),
          { type: "radio", name, value: i });
        const label = make("label", "");
        label.append(input, ...item.childNodes);
        item.append(label);
        return input;
      });
      return {
        read() {
          const answer = inputs.findIndex((input) => input.checked);
          return answer < 0 ? Error("Choose one of the answers.") : answer;
        },
        show: (answer) => inputs.forEach((input, i) =>
          (input.checked = i === answer)),
      };
    },
    numbers(name, list, { fields }) {
      const inputs = all("li", list).map((item, i) => {
        const { label, unit } = fields[i];
        const input = Object.assign(make("input", ""),
          { type: "text", inputMode: "decimal", autocomplete: "off" });
        const whole = make("label", "");
        const name = make("span", "");
        write(name, label);
        whole.append(name, input, unit ?? "");
        item.replaceChildren(whole);
        return input;
      });
      return {
        read() {
          const answer = inputs.map(({ value }) => value.trim()
            .replace("−", "-").replace(",", ".").replace(/\s*[%°]$/, ""));
          const bad = answer.findIndex((text) =>
            !text || !Number.isFinite(Number(text)));
          if (bad < 0) return answer;
          inputs[bad].focus();
          return Error(inputs.length > 1 ?
            `A number is missing: ${fields[bad].label}.` :
            "A number is missing.");
        },
        show: (answer) => inputs.forEach((input, i) =>
          (input.value = answer?.[i] ?? "")),
      };
    },
    order(name, list) {
      const numbered = make("ol", "");
      numbered.append(...list.children);
      list.replaceWith(numbered);
      const rows = [...numbered.children];
      const first = rows.map((row) => row.textContent);
      const text = new Map(rows.map((row, i) => [row, first[i]]));
      for (const row of rows) {
        const words = make("span", "");
        words.append(...row.childNodes);
        row.append(words);
        for (const [arrow, way, step] of [["↑", "up", -1], ["↓", "down", 1]]) {
          const move = button(arrow);
          move.ariaLabel = `${text.get(row)}: ${way}`;
          move.addEventListener("click", () => {
            const now = [...numbered.children];
            const other = now[now.indexOf(row) + step];
            if (!other) return;
            step < 0 ? other.before(row) : other.after(row);
            move.focus();
          });
          row.append(move);
        }
      }
      return {
        read: () => [...numbered.children].map((row) => text.get(row)),
        show: (answer) => (answer ?? first).forEach((item) =>
          numbered.append(rows.find((row) => text.get(row) === item))),
      };
    },
  };
  kinds.computed = kinds.numbers;

  /* ----------------------------------------------------------- what hides */

  /* What follows a form, up to its comment in the text or else the next
     heading, as a list of elements. */
  const following = (form, name) => {
    const walker = document.createTreeWalker(
      form.closest("article"), NodeFilter.SHOW_COMMENT);
    let end = null;
    while (!end && walker.nextNode()) {
      const said = walker.currentNode.data.trim();
      if (said === `seen ${name}`) end = walker.currentNode;
    }
    const found = [];
    const collect = (element) => {
      for (; element; element = element.nextElementSibling) {
        if (end ? after(element, end) : element.matches("section")) return;
        if (end && element.contains(end)) collect(element.firstElementChild);
        else found.push(element);
      }
    };
    const cell = form.closest(".cell");
    collect(cell.nextElementSibling);
    for (let up = cell.parentElement; end && up.matches("article *");
      up = up.parentElement) {
      if (!up.contains(end)) collect(up.nextElementSibling);
    }
    return found;
  };
  const after = (element, end) => Boolean(
    end.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING);

  /* ---------------------------------------------------------------- a form */

  const enliven = (box) => {
    // An answer to a question as it was is none to what it has become.
    const asked = [...box.textContent].reduce(
      (sum, letter) => (sum * 31 + letter.codePointAt()) % 1e9, 0);
    const data = JSON.parse(box.querySelector("script").textContent);
    const { name } = box.dataset;
    const hides = box.classList.contains("predicts");
    const question = box.querySelector("p");
    question.id = `asks-${name.replace(/\W+/g, "-")}`;
    const controls = kinds[data.kind](
      `answer-${name}`, box.querySelector("ul"), data);
    const commit = button(hides ? "commit" : "check", "submit");
    const skip = button("show me");
    const said = Object.assign(make("p", "said"), { role: "status" });
    const handles = make("p", "handles");
    handles.append(commit, ...hides ? [skip] : []);
    const set = make("fieldset", "");
    set.setAttribute("aria-labelledby", question.id);
    set.append(...all("p, ul, ol", box), handles);
    const form = Object.assign(make("form", ""), { noValidate: true });
    form.append(set, said);
    box.prepend(form);

    const self = { shown: false, answered: false, skip,
                   withheld: hides ? following(box, name) : [] };
    const settle = (answered) => {
      self.answered = answered;
      if (!hides) return;
      all("li :is(input, button)", set).forEach((e) => (e.disabled = answered));
      commit.textContent = answered ? "ask me again" : "commit";
    };
    const tell = (answer) => {
      write(said, perfalign.verdict(data, answer));
      settle(true);
    };
    const again = () => {
      remember(name, null);
      controls.show(null);
      said.textContent = "";
      self.shown = false;
      settle(false);
    };
    const keep = (answer) => remember(name, [asked, answer]);
    const give = () => {
      const answer = controls.read();
      if (answer instanceof Error) {
        said.textContent = answer.message;
        return;
      }
      keep(answer);
      tell(answer);
      commit.focus({ preventScroll: true });
    };
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (hides && self.answered) again();
      else give();
      veil();
    });
    skip.addEventListener("click", () => {
      keep(null);
      self.shown = true;
      commit.focus();
      veil();
    });
    const before = recall(name);
    if (before?.[0] === asked) {
      self.shown = before[1] === null;
      if (!self.shown) {
        controls.show(before[1]);
        tell(before[1]);
      }
    }
    return self;
  };

  /* ------------------------------------------------------------ whole page */

  let forms = [];
  let everything = recall("everything") === true;
  const veil = () => {
    const hidden = new Set(forms.flatMap((form) => {
      const hides = !(form.shown || form.answered || everything);
      form.skip.hidden = !hides;
      return hides ? form.withheld : [];
    }));
    for (const element of new Set(forms.flatMap((form) => form.withheld))) {
      element.classList.toggle("withheld", hidden.has(element));
    }
  };

  /* A link to what is hidden shows it. */
  const reveal = (hash) => {
    const target = document.getElementById(decodeURIComponent(hash.slice(1)));
    const above = forms.filter(({ withheld }) => withheld.some((e) =>
      e.classList.contains("withheld") && e.contains(target)));
    if (!target || !above.length) return;
    above.forEach((form) => (form.shown = true));
    veil();
    target.scrollIntoView();
  };

  const skipAll = () => {
    const says = make("p", "predicting",
      "Predictions on this page hide what follows them until you have " +
      "committed yourself. ");
    const every = button("show all answers");
    const show = () => every.setAttribute("aria-pressed", everything);
    every.addEventListener("click", () => {
      everything = !everything;
      remember("everything", everything || null);
      show();
      veil();
    });
    show();
    says.append(every);
    document.querySelector("article h1").after(says);
  };

  document.documentElement.classList.add("opening");
  document.addEventListener("DOMContentLoaded", () => {
    try {
      forms = all(".asks").map(enliven);
      if (forms.some(({ withheld }) => withheld.length)) skipAll();
      veil();
    } finally {
      document.documentElement.classList.remove("opening");
    }
    reveal(location.hash);
    addEventListener("hashchange", () => reveal(location.hash));
    // A link to where one is already changes nothing, and yet is followed.
    document.addEventListener("click", ({ target }) => {
      const link = target.closest?.("a[href*='#']");
      if (link?.hash && link.pathname === location.pathname) reveal(link.hash);
    });
  });
})();
