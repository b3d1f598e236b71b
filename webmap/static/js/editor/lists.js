// The lists beside the map: what is in the view, and what is not saved yet.
import { labelOf, nameOf, say, valueText } from "./words.js";
import { element } from "../signs.js";
import { same } from "./store.js";
import { problemsOf } from "./validation.js";

const MOST_LINES = 100;

export class FeatureList {
  constructor(box, filter, count, store) {
    Object.assign(this, { box, filter, count, store });
    filter.addEventListener("input", () => this.render());
    store.addEventListener("change", () => this.render());
    store.addEventListener("selection", () => this.mark());
  }

  render() {
    const wanted = this.filter.value.trim().toLowerCase();
    const found = this.store.all().filter((record) => nameOf(record).toLowerCase().includes(wanted));
    this.count.textContent = say("features_count", { count: found.length });
    this.box.replaceChildren(...found.slice(0, MOST_LINES).map((record) => this.#line(record)),
      found.length > MOST_LINES ? element("li", { class: "small" }, say("more_features", { count: found.length - MOST_LINES })) : "");
  }

  mark() {
    this.box.querySelectorAll("input").forEach((input) => { input.checked = this.store.isSelected(input.value); });
  }

  #line(record) {
    const input = element("input", { type: "checkbox", value: record.id });
    input.checked = this.store.isSelected(record.id);
    input.addEventListener("change", () => {
      const others = this.store.selected.map(({ id }) => id).filter((id) => id !== record.id);
      this.store.select(input.checked ? [...others, record.id] : others);
    });
    return element("li", {}, element("label", {}, input, element("span", {}, nameOf(record))));
  }
}

function describe({ before, after }) {
  if (!before || !after) return [];
  const names = Object.keys(after.attributes).filter((name) => !same(after.attributes[name] ?? null, before.attributes[name] ?? null));
  const lines = names.map((name) => `${labelOf(name)}: ${valueText(name, before.attributes[name])} → ${valueText(name, after.attributes[name])}`);
  return same(before.geometry, after.geometry) ? lines : [say("geometry_changed"), ...lines];
}

export class UnsavedList {
  constructor(box, heading, store, show) {
    Object.assign(this, { box, heading, store, show });
    this.refused = new Map(); // id → [{column, text}] of the database
    store.addEventListener("change", () => this.render());
  }

  render() {
    const unsaved = this.store.unsaved();
    this.heading.textContent = say("unsaved_count", { count: unsaved.length });
    this.box.replaceChildren(...unsaved.slice(0, MOST_LINES).map((entry) => this.#line(entry)),
      unsaved.length > MOST_LINES ? element("li", { class: "small" }, say("more_features", { count: unsaved.length - MOST_LINES })) : "");
  }

  /** Return the first unsaved change that cannot be saved, null when all can. */
  firstBroken() {
    return this.store.unsaved().find(({ after }) => after && problemsOf(after).length) ?? null;
  }

  #line(entry) {
    const record = entry.after ?? entry.before;
    const verb = say(!entry.before ? "added" : entry.before.isDeleted ? "restored" : entry.after ? "changed" : "deleted");
    const texts = [...(entry.after ? problemsOf(entry.after).map(({ text }) => text) : []), ...(this.refused.get(entry.id) ?? []).map(({ text }) => text)];
    const back = element("button", { type: "button", class: "slim", "aria-label": `${say("take_back")}: ${nameOf(record)}` }, say("take_back"));
    back.addEventListener("click", () => this.store.run([{ id: entry.id, after: entry.before?.isDeleted ? null : entry.before }]));
    const line = element("li", {}, element("strong", {}, `${verb}: `), nameOf(record), " ");
    if (entry.after) {
      const find = element("button", { type: "button", class: "slim", "aria-label": `${say("show")}: ${nameOf(record)}` }, say("show"));
      find.addEventListener("click", () => this.show(record.id));
      line.append(find, " ");
    }
    line.append(back, ...describe(entry).map((text) => element("p", { class: "small" }, text)),
      ...[...new Set(texts)].map((text) => element("p", { class: "problem" }, text)));
    return line;
  }
}
