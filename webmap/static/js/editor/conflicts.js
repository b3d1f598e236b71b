// Two people changed the same thing: what it was, theirs and mine side by side; the person chooses, nothing is lost.
/* global L */
import { labelOf, layer, nameOf, say, valueText } from "./words.js";
import { element } from "../signs.js";
import { same } from "./store.js";

const LOOKS = { base: { color: "#5c574e", dashArray: "2 6" }, theirs: { color: "#0b4f8a" }, mine: { color: "#c65a00", dashArray: "9 5" } };

const valueOf = (side, name) => (name === "geom" ? side.geometry : side.attributes[name] ?? null);
const differs = (one, other, name) => !same(valueOf(one, name) ?? null, valueOf(other, name) ?? null);

function cellText(side, name) {
  if (!side) return say("deleted");
  return name === "geom" ? say(side.geometry ? "see_map" : "nothing") : valueText(name, side.attributes[name]);
}

function choice(group, value, text) {
  const input = element("input", { type: "radio", name: group, value, required: "" });
  return element("label", { class: "choice" }, input, element("span", {}, text));
}

/** One row per column that somebody changed; those in dispute ask. */
function rows(conflict) {
  const { base, theirs, mine, fid } = conflict;
  const columns = ["geom", ...layer.attributes.map(({ name }) => name)];
  const changed = columns.filter((name) => [theirs, mine].some((side) => side && differs(base, side, name)));
  const isWhole = !theirs || !mine;
  const cells = (name) => ["theirs", "mine"].map((side) => {
    const text = cellText(conflict[side], name);
    if (isWhole) return element("td", {}, text);
    if (conflict.names.includes(name)) return element("td", {}, choice(`${fid}:${name}`, side, text));
    const isKept = differs(base, conflict[side], name); // only one side changed it: that value stays by itself
    return element("td", {}, text, isKept ? element("strong", { class: "kept" }, say("kept")) : "");
  });
  const made = changed.map((name) => element("tr", {}, element("th", { scope: "row" }, labelOf(name)), element("td", {}, cellText(base, name)), ...cells(name)));
  if (!isWhole) return made;
  const whole = [["theirs", theirs ? "keep_theirs" : "accept_deletion"], ["mine", mine ? "bring_back" : "delete_anyway"]];
  return [...made, element("tr", {}, element("th", { scope: "row" }, say("your_choice")), element("td"),
    ...whole.map(([side, word]) => element("td", {}, choice(`${fid}:whole`, side, say(word)))))];
}

function section(conflict, record) {
  const head = ["attribute", "base", "theirs", "mine"].map((word) => element("th", { scope: "col" }, say(`conflict_${word}`)));
  const table = element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows(conflict)));
  const sides = Object.keys(LOOKS).filter((name) => conflict[name]?.geometry);
  const isShapeConcerned = ["theirs", "mine"].some((name) => conflict[name] && differs(conflict.base, conflict[name], "geom"));
  const map = isShapeConcerned ? element("div", { class: "conflict-map", role: "region", "aria-label": say("conflict_map") }) : null;
  const key = map && element("ul", { class: "conflict-key" }, ...sides.map((name) => element("li", {}, element("span", { class: `key ${name}`, "aria-hidden": "true" }), say(`conflict_${name}`))));
  return { box: element("section", {}, element("h3", {}, nameOf(record)), element("div", { class: "wide" }, table), map, key), map, sides };
}

function draw(box, sides, conflict) {
  const roads = window.vector_grid_protobuf_base_road;
  const map = L.map(box, { attributionControl: false, maxZoom: 19 });
  const shapes = L.featureGroup(sides.map((name) => L.geoJSON(conflict[name].geometry, {
    style: { ...LOOKS[name], weight: 4, fillOpacity: 0.08 },
    pointToLayer: (_, position) => L.circleMarker(position, { ...LOOKS[name], radius: 8, weight: 4 }),
  })));
  map.fitBounds(shapes.getBounds(), { maxZoom: 17, padding: [20, 20] });
  L.vectorGrid.protobuf("/tiles/base_road/{z}/{x}/{y}.mvt", roads.options).addTo(map);
  shapes.addTo(map);
}

/** Return the entry for the store: their state as the new base, and what was chosen on top of it. */
function settled(conflict, record, chosen) {
  const { fid, base, theirs, mine, names } = conflict;
  const id = `fid:${fid}`;
  const hasPersonal = layer.attributes.some((one) => one.is_personal && one.name in (theirs ?? base).attributes);
  const saved = {
    id,
    fid,
    version: conflict.theirs_version,
    personalVersion: hasPersonal ? conflict.theirs_personal_version : record.personalVersion,
    isDeleted: !theirs,
    geometry: (theirs ?? base).geometry,
    attributes: { ...record.attributes, ...(theirs ?? base).attributes },
  };
  if (!theirs || !mine) {
    if (chosen(`${fid}:whole`) === "theirs") return { id, before: theirs ? saved : null, after: theirs ? saved : null };
    return { id, before: saved, after: mine ? { ...saved, isDeleted: false, geometry: mine.geometry, attributes: { ...saved.attributes, ...mine.attributes } } : null };
  }
  const isMine = (name) => differs(base, mine, name) && (!names.includes(name) || chosen(`${fid}:${name}`) === "mine");
  const attributes = { ...saved.attributes };
  for (const name of Object.keys(mine.attributes)) if (isMine(name)) attributes[name] = mine.attributes[name];
  return { id, before: saved, after: { ...saved, attributes, geometry: isMine("geom") ? mine.geometry : saved.geometry } };
}

/** Ask about all conflicts; resolve to the store's new entries, or null when the person wants to think about it. */
export function askConflicts(dialog, conflicts, store) {
  const form = dialog.querySelector("form");
  const records = conflicts.map(({ fid }) => store.get(`fid:${fid}`) ?? store.before(`fid:${fid}`));
  const sections = conflicts.map((conflict, at) => section(conflict, records[at]));
  dialog.querySelector(".conflict-list").replaceChildren(...sections.map(({ box }) => box));
  dialog.returnValue = "";
  dialog.showModal();
  sections.forEach(({ map, sides }, at) => { if (map) draw(map, sides, conflicts[at]); });
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      if (dialog.returnValue !== "settled") return resolve(null);
      const answers = new FormData(form);
      return resolve(conflicts.map((conflict, at) => settled(conflict, records[at], (name) => answers.get(name))));
    }, { once: true });
  });
}
