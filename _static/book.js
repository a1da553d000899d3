/* What every page of the book does, and what its explorers need. */
(() => {
  "use strict";
  const root = new URL("..", document.currentScript.src);
  const all = (selector, within = document) =>
    [...within.querySelectorAll(selector)];
  const make = (tag, className, text = "") =>
    Object.assign(document.createElement(tag), { className, textContent: text });

  /* What is wider than its place scrolls there, by keyboard too. */
  const scrolling = () => {
    for (const formula of all("article .math")) {
      const drawn = formula.querySelector("mjx-container > svg");
      const width = drawn ? drawn.getBoundingClientRect().width : 0;
      const room = formula.clientWidth;
      formula.classList.toggle("wide", room > 0 && width > room + 1);
    }
    const boxes = "article :is(.math, mjx-container, pre), " +
      ".pst-scrollable-table-container";
    for (const box of all(boxes)) {
      const scrolls = getComputedStyle(box).overflowX === "auto";
      reach(box, scrolls && box.scrollWidth > box.clientWidth + 1);
    }
  };
  const reach = (box, wide) =>
    wide ? (box.tabIndex = 0) : box.removeAttribute("tabindex");

  /* Roles and labels that the tools write and no reader can use. */
  const mend = () => {
    all("details.hide > summary").forEach((s) =>
      s.removeAttribute("aria-label"));
    all(".citation-list, .citation-list > [role]").forEach((e) =>
      e.removeAttribute("role"));
    all(".task-list-item-checkbox").forEach((box) =>
      (box.ariaLabel = box.parentElement.textContent.trim()));
  };

  /* A word of the glossary shows its meaning to the keyboard, too. */
  const explain = () => {
    for (const word of all("a[title] > .std-term")) {
      const link = word.parentElement;
      link.dataset.meaning = link.title;
      link.setAttribute("aria-description", link.title);
      link.removeAttribute("title");
    }
  };

  /* A moved slider says what the picture now shows; a printed explorer says
     what every position of its sliders shows. */
  const speak = (figure) => {
    const sliders = all("input", figure);
    const image = figure.querySelector("img");
    const said = make("p", "unseen");
    const printed = make("ol", "frames");
    said.setAttribute("aria-live", "polite");
    figure.append(said, printed);
    let timer = 0;
    figure.addEventListener("input", (event) => {
      if (!event.isTrusted) return;
      clearTimeout(timer);
      timer = setTimeout(() => (said.textContent = image.alt), 500);
    });
    addEventListener("beforeprint", () => {
      if (!printed.children.length) list(sliders, image, printed);
    });
  };
  const list = (sliders, image, printed) => {
    const before = sliders.map((slider) => slider.value);
    const counts = sliders.map((slider) => Number(slider.max) + 1);
    const move = (values) => {
      sliders.forEach((slider, i) => (slider.value = values[i]));
      sliders[0].dispatchEvent(new Event("input"));
    };
    const total = counts.reduce((a, b) => a * b, 1);
    for (let number = 0; number < total; number++) {
      let rest = number;
      move(counts.map((n, i) => {
        const above = counts.slice(i + 1).reduce((a, b) => a * b, 1);
        const value = Math.floor(rest / above);
        rest %= above;
        return value;
      }));
      const where = sliders.map(
        (s) => `${s.ariaLabel} ${s.getAttribute("aria-valuetext")}`);
      printed.append(make("li", "", `${where.join(", ")}: ${image.alt}`));
    }
    move(before);
  };

  /* Paper is white: what is printed is printed as by day. */
  const whiten = () => {
    const { dataset } = document.documentElement;
    let theme;
    addEventListener("beforeprint", () => {
      theme = dataset.theme;
      dataset.theme = "light";
    });
    addEventListener("afterprint", () => (dataset.theme = theme));
  };

  /* Explorers that are computed on the page bring their scripts along. */
  const load = (path) => new Promise((done, failed) => {
    const script = make("script", "");
    script.src = new URL(path, root);
    script.onload = done;
    script.onerror = failed;
    document.head.append(script);
  });
  const enliven = async () => {
    if (!document.querySelector("figure.cities")) return;
    await load("ml-matrix/matrix.umd.js");
    const parts = ["alignment", "city", "draw", "arrow", "room", "angles"];
    for (const part of [...parts, "cities"]) {
      await load(`live/${part}.js`);
    }
  };

  document.addEventListener("DOMContentLoaded", () => {
    mend();
    explain();
    all("figure.explorer").forEach(speak);
    enliven();
    whiten();
  });
  addEventListener("load", async () => {
    // For the mouse: by keyboard, dozens of them stand before a slider.
    all("button.copybtn").forEach((button) => (button.tabIndex = -1));
    if (window.MathJax?.startup) await window.MathJax.startup.promise;
    // The page of the search has no article.
    all("article").forEach((text) =>
      new ResizeObserver(scrolling).observe(text));
  });
})();
