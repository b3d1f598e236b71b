// The attributes of what is selected, one field each; with several features a field changes all of them.
import { layer, nameOf, say, valueText } from "./words.js";
import { element } from "../signs.js";
import { problemOf, problemsOf } from "./validation.js";

const isEmpty = (value) => value === null || value === undefined || value === "";
const VARIOUS = "\u0000various";

function commonValue(records, name) {
  const [first, ...rest] = records.map(({ attributes }) => attributes[name] ?? null);
  return rest.every((value) => value === first) ? first : VARIOUS;
}

function choices(attribute) {
  if (attribute.type === "boolean") return [true, false].map((value) => ({ value: String(value), name: valueText(attribute.name, value) }));
  return attribute.codes;
}

function makeControl(attribute, id) {
  const shared = { id, name: attribute.name, "aria-describedby": `${id}-problem` };
  if (attribute.required && attribute.default === null) shared.required = "";
  if (attribute.type === "boolean" || attribute.codes.length) {
    const options = choices(attribute).map(({ value, name }) => element("option", { value }, name));
    const none = shared.required === undefined || attribute.type !== "boolean" ? [element("option", { value: "" }, say("nothing"))] : [];
    return element("select", shared, element("option", { value: VARIOUS, hidden: "", disabled: "" }, say("various")), ...none, ...options);
  }
  if (attribute.type === "integer" || attribute.type === "real") {
    const limits = { step: attribute.type === "integer" ? "1" : "any" };
    if (attribute.minimum !== null) limits.min = attribute.minimum;
    if (attribute.maximum !== null) limits.max = attribute.maximum;
    return element("input", { ...shared, ...limits, type: "number", inputmode: "decimal" });
  }
  if (attribute.type === "date") return element("input", { ...shared, type: "date" });
  if (attribute.type === "timestamp") return element("input", { ...shared, type: "datetime-local", step: "1" });
  return element("input", { ...shared, type: "text" });
}

function show(control, attribute, value) {
  const isVarious = value === VARIOUS;
  if (control.localName === "select") control.value = isVarious ? VARIOUS : isEmpty(value) ? "" : String(value);
  else {
    control.value = isVarious || isEmpty(value) ? "" : attribute.type === "timestamp" ? String(value).slice(0, 19) : String(value);
    control.placeholder = isVarious ? say("various") : "";
  }
}

/** Return what the person wrote as the attribute's value; times are Japanese. */
function read(control, attribute) {
  if (control.value === "") return null;
  if (attribute.type === "boolean") return control.value === "true";
  if (attribute.type === "integer" || attribute.type === "real") return Number(control.value);
  if (attribute.type === "timestamp") return `${control.value.length === 16 ? `${control.value}:00` : control.value}+09:00`;
  return control.value;
}

export class Form {
  #fields = []; // {attribute, control, problem}
  #position = null;

  /** `refused`: id → [{column, text}] that the database would not take; told beside the field until it is changed. */
  constructor(box, store, refused) {
    Object.assign(this, { box, store, refused });
    store.addEventListener("selection", () => this.build());
    store.addEventListener("change", () => this.refresh());
    this.build();
  }

  build() {
    const records = this.store.selected;
    this.#fields = [];
    this.#position = null;
    if (!records.length) {
      this.box.replaceChildren(element("p", {}, say("nothing_selected")));
      return;
    }
    const heading = records.length === 1 ? nameOf(records[0]) : say("many_selected", { count: records.length });
    const rows = layer.attributes.map((attribute) => this.#row(attribute));
    this.box.replaceChildren(element("h3", {}, heading), records.length > 1 ? element("p", { class: "small" }, say("bulk_hint")) : "",
      ...this.#positionRow(records), ...rows);
    this.refresh();
  }

  /** Return the field whose text is no number, undefined when all can be read. */
  firstUnreadable() {
    return this.#fields.map(({ control }) => control).find((control) => control.validity.badInput);
  }

  refresh() {
    const records = this.store.selected;
    if (!records.length || !this.#fields.length) {
      if (!records.length && this.#fields.length) this.build();
      return;
    }
    for (const { attribute, control, problem } of this.#fields) {
      const value = commonValue(records, attribute.name);
      // The field in hand stays as it is: news of the map must not wipe out what is half written.
      if (document.activeElement !== control) show(control, attribute, value);
      const text = value === VARIOUS ? "" : this.#problem(records[0], attribute, value);
      problem.textContent = text;
      if (text) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    }
    this.#showPosition(records);
  }

  #problem(record, attribute, value) {
    const refused = this.refused.get(record.id)?.find(({ column }) => column === attribute.name);
    if (refused) return refused.text;
    if (!attribute.is_personal) return problemOf(attribute, value);
    return problemsOf(record).find(({ column }) => column === attribute.name)?.text ?? "";
  }

  #row(attribute) {
    const id = `field-${attribute.name}`;
    const control = makeControl(attribute, id);
    const problem = element("p", { id: `${id}-problem`, class: "problem" });
    control.addEventListener("change", () => {
      if (control.validity.badInput) { // no number at all: it stays in its field until it is mended
        problem.textContent = say("problem_number", { label: attribute.label });
        control.setAttribute("aria-invalid", "true");
        return;
      }
      for (const { id } of this.store.selected) {
        this.refused.set(id, (this.refused.get(id) ?? []).filter(({ column }) => column !== attribute.name));
      }
      const value = read(control, attribute);
      this.store.run(this.store.selected.map((record) => ({ id: record.id, after: { ...record, attributes: { ...record.attributes, [attribute.name]: value } } })));
    });
    this.#fields.push({ attribute, control, problem });
    const unit = attribute.unit ? ` (${attribute.unit})` : "";
    const mark = attribute.required && attribute.default === null ? element("span", { class: "required" }, say("required_mark")) : "";
    const personal = attribute.is_personal ? element("span", { class: "required" }, say("personal_mark")) : "";
    return element("div", { class: "field" }, element("label", { for: id }, `${attribute.label}${unit} `, mark, personal), control, problem);
  }

  /** A point's place as numbers: the way to move it without a mouse. */
  #positionRow(records) {
    if (records.length !== 1 || (records[0].geometry ? records[0].geometry.type !== "Point" : !["Point", "Geometry"].includes(layer.geometry))) return [];
    const controls = ["longitude", "latitude"].map((name) => element("input", { id: `place-${name}`, type: "number", step: "any", min: name === "latitude" ? -90 : -180, max: name === "latitude" ? 90 : 180 }));
    this.#position = controls;
    controls.forEach((control) => control.addEventListener("change", () => {
      const coordinates = controls.map((one) => one.value === "" ? Number.NaN : Number(one.value));
      const [record] = this.store.selected;
      if (coordinates.every(Number.isFinite)) this.store.run([{ id: record.id, after: { ...record, geometry: { type: "Point", coordinates } } }]);
    }));
    return [element("fieldset", { class: "place" }, element("legend", {}, say("geometry")),
      ...controls.map((control, at) => element("div", { class: "field" }, element("label", { for: control.id }, say(at ? "latitude" : "longitude")), control)))];
  }

  #showPosition([record]) {
    const coordinates = record.geometry?.coordinates ?? ["", ""];
    this.#position?.forEach((control, at) => {
      if (document.activeElement !== control) control.value = coordinates[at];
    });
  }
}
