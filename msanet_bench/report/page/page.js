"use strict";
(() => {
  const FILTER_FROM_ROWS = 9;
  const REACH = 18; // pixels between the pointer and a point
  const NEXT_ORDER = { none: "ascending", ascending: "descending", descending: "none" };
  const collator = new Intl.Collator("en", { numeric: true });

  const create = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };

  // Numbers first, then text; what is absent stays last in both directions.
  const compare = (first, second, sign) => {
    const [a, b] = [first, second].map((cell) => {
      const text = cell.textContent.trim();
      const number = cell.dataset.value === undefined ? NaN : Number(cell.dataset.value);
      return { text, number, kind: text === "-" || text === "" ? 2 : Number.isNaN(number) ? 1 : 0 };
    });
    if (a.kind !== b.kind) {
      return a.kind === 2 || b.kind === 2 ? a.kind - b.kind : sign * (a.kind - b.kind);
    }
    return sign * (a.kind === 0 ? a.number - b.number : collator.compare(a.text, b.text));
  };

  const makeSortable = (table) => {
    const body = table.tBodies[0];
    const planned = [...body.rows];
    const headers = [...table.tHead.rows[0].cells];
    headers.forEach((header, column) => {
      const button = create("button", { type: "button" }, ...header.childNodes);
      header.append(button);
      header.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => {
        const order = NEXT_ORDER[header.getAttribute("aria-sort")];
        headers.forEach((other) => other.setAttribute("aria-sort", "none"));
        header.setAttribute("aria-sort", order);
        const sign = order === "descending" ? -1 : 1;
        const sorted = [...planned];
        if (order !== "none") {
          sorted.sort((a, b) => compare(a.cells[column], b.cells[column], sign));
        }
        body.append(...sorted);
      });
    });
  };

  // `a=off, b=none` is found however its comma is spaced.
  const simple = (text) => text.toLowerCase().replace(/,\s+/g, ",");

  const makeFilterable = (table) => {
    const rows = [...table.tBodies[0].rows];
    const texts = new Map(rows.map((row) => [row, [...row.cells].map((c) => simple(c.textContent)).join(" ")]));
    const field = create("input", { type: "search", autocomplete: "off", spellcheck: false });
    field.setAttribute("aria-label", `Filter the rows: ${table.getAttribute("aria-label")}`);
    const count = create("output", {}, `${rows.length} rows`);
    const line = create("div", { className: "filter" }, create("label", {}, "Filter ", field), count);
    table.parentElement.before(line);
    field.addEventListener("input", () => {
      const words = simple(field.value).split(/\s+/).filter(Boolean);
      rows.forEach((row) => {
        row.hidden = !words.every((word) => texts.get(row).includes(word));
      });
      const shown = rows.filter((row) => !row.hidden).length;
      line.classList.toggle("active", words.length > 0);
      count.textContent = words.length > 0 ? `${shown} of ${rows.length} rows` : `${rows.length} rows`;
    });
  };

  const tip = create("div", { id: "tip", hidden: true });
  tip.setAttribute("role", "tooltip");
  let current = null;

  const centre = (point) => {
    const box = point.getBoundingClientRect();
    return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  };

  const hide = () => {
    current?.classList.remove("current");
    current = null;
    tip.hidden = true;
  };

  const show = (point) => {
    hide();
    current = point;
    point.classList.add("current");
    const [name, ...values] = point.getAttribute("aria-label").split("\n");
    tip.replaceChildren(create("strong", {}, name), ...values.map((value) => create("div", {}, value)));
    tip.hidden = false;
    const { x, y } = centre(point);
    const { clientWidth } = document.documentElement;
    const left = Math.min(Math.max(x - tip.offsetWidth / 2, 8), clientWidth - tip.offsetWidth - 8);
    const above = y - tip.offsetHeight - 14;
    tip.style.left = `${left + window.scrollX}px`;
    tip.style.top = `${(above < 0 ? y + 14 : above) + window.scrollY}px`;
  };

  const nearest = (points, event) => {
    const distance = (point) => {
      const { x, y } = centre(point);
      return Math.hypot(x - event.clientX, y - event.clientY);
    };
    const closest = points.reduce((a, b) => (distance(b) < distance(a) ? b : a));
    return distance(closest) <= REACH ? closest : null;
  };

  // One stop of the tab key a figure; the arrows go from point to point.
  const makeTelling = (figure) => {
    const points = [...figure.querySelectorAll(".point")].sort((a, b) => centre(a).x - centre(b).x);
    const follow = (event) => {
      const point = nearest(points, event);
      if (point === null) {
        hide();
      } else if (point !== current) {
        show(point);
      }
    };
    figure.addEventListener("pointermove", follow);
    figure.addEventListener("pointerdown", follow);
    figure.addEventListener("pointerleave", hide);
    points[0].setAttribute("tabindex", "0");
    points.forEach((point, index) => {
      point.addEventListener("focus", () => {
        points.forEach((other) => other.setAttribute("tabindex", other === point ? "0" : "-1"));
        show(point);
      });
      point.addEventListener("blur", hide);
      point.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
        if (step) {
          event.preventDefault();
          points[index + step]?.focus();
        }
      });
    });
  };

  document.querySelectorAll("table").forEach((table) => {
    makeSortable(table);
    if (table.tBodies[0].rows.length >= FILTER_FROM_ROWS) {
      makeFilterable(table);
    }
  });
  document.body.append(tip);
  document.querySelectorAll(".scatter").forEach(makeTelling);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      hide();
    }
  });
})();
