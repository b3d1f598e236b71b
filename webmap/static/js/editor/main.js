// The editor of one layer: the map of folium, the features of the view, what is changed, and one save with a reason.
/* global L */
import { dressMap, element, fetchJson } from "../signs.js";
import { post, toChange } from "./batch.js";
import { askConflicts } from "./conflicts.js";
import { dropDraft, keepDraft, readDraft, watchDrafts } from "./drafts.js";
import { Drawing } from "./drawing.js";
import { Files } from "./files.js";
import { Form } from "./form.js";
import { FeatureList, UnsavedList } from "./lists.js";
import { Saving, rebased, wasUsed } from "./saving.js";
import { Store, recordOf } from "./store.js";
import { buildTools, listenForKeys } from "./tools.js";
import { config, labelOf, layer, nameOf, say } from "./words.js";

const find = (id) => document.getElementById(id);
const page = find("editor");
const map = window.map_town;
const store = new Store();
const saving = new Saving();
const drawing = new Drawing(map, store);
const unsavedList = new UnsavedList(find("unsaved"), find("unsaved-heading"), store, show);
const form = new Form(find("form"), store, unsavedList.refused);
const files = new Files(find("files-of-feature"), find("status"), store);
let lastLoad = 0;

function tell(text, kind = "", lines = []) {
  find("status").className = `flash ${kind}`;
  find("status").replaceChildren(element("p", {}, text), ...lines.map((line) => element("p", { class: "small" }, line)));
}

function show(id) {
  store.select([id]);
  drawing.show(store.get(id));
}

async function loadView() {
  lastLoad += 1;
  const mine = lastLoad;
  const bounds = map.getBounds();
  let collection;
  try {
    collection = await fetchJson(`${config.urls.features}?bbox=${bounds.toBBoxString()}`);
  } catch (error) { // offline, logged out: what is on the map stays, and so does the draft
    console.warn(error.message);
    tell(say("load_failed"), "error");
    return;
  }
  if (mine !== lastLoad) return; // the map has moved on
  store.load(collection.features.map(recordOf));
  find("incomplete").hidden = collection.is_complete;
  map.getContainer().dataset.ready = "features";
}

async function computeShapes(body) {
  const { status, body: answer } = await post(config.urls.shapes, body);
  if (status === 200) return answer.geometries;
  tell(answer?.message ?? say("save_failed"), "error", [answer?.detail].filter(Boolean));
  return null;
}

function addFeature(geometry) {
  const attributes = Object.fromEntries(layer.attributes.map((attribute) => [attribute.name, attribute.default]));
  const id = store.newId();
  store.run([{ id, after: { id, fid: null, version: null, personalVersion: null, isDeleted: false, geometry, attributes } }]);
  store.select([id]);
  find("form").querySelector("[required]:not(#form .place *)")?.focus();
}

async function split(blade) {
  const [record] = store.selected;
  const pieces = record && await computeShapes({ operation: "split", geometries: [record.geometry], blade });
  if (!pieces) return;
  const [first, ...rest] = pieces;
  // The number tells a feature from all others, so the new pieces need their own.
  const attributes = layer.key ? { ...record.attributes, [layer.key]: null } : record.attributes;
  const made = rest.map((geometry) => ({ ...record, id: store.newId(), fid: null, version: null, personalVersion: null, geometry, attributes }));
  store.run([{ id: record.id, after: { ...record, geometry: first } }, ...made.map((after) => ({ id: after.id, after }))]);
  store.select(made.map(({ id }) => id));
  tell(say("split_done", { count: pieces.length }));
}

async function merge() {
  const [first, ...rest] = store.selected;
  const made = await computeShapes({ operation: "merge", geometries: [first, ...rest].map(({ geometry }) => geometry) });
  if (!made) return;
  store.run([{ id: first.id, after: { ...first, geometry: made[0] } }, ...rest.map(({ id }) => ({ id, after: null }))]);
  store.select([first.id]);
  tell(say("merge_done", { name: nameOf(first) }));
}

function addAtCentre() {
  const { lng, lat } = map.getCenter();
  addFeature({ type: "Point", coordinates: [Number(lng.toFixed(8)), Number(lat.toFixed(8))] });
}

function saved(outcome) {
  const counts = { inserted: outcome.inserted.length, updated: outcome.updated.length, deleted: outcome.deleted.length };
  const merged = outcome.merged.map(({ fid, theirs }) => say("merged_line", { name: nameOf(store.get(`fid:${fid}`)), columns: theirs.map(labelOf).join(", ") }));
  unsavedList.refused.clear();
  store.reset();
  find("reason").value = "";
  tell(outcome.changeset ? say("saved", { ...counts, changeset: outcome.changeset }) : say("saved_nothing"), "done", merged);
  if (outcome.changeset) linkChangeset(outcome.changeset);
  loadView();
}

function refused(sent, status, answer) {
  unsavedList.refused.clear();
  for (const { position, column, text } of answer?.problems ?? []) {
    const id = sent[position]?.id ?? (sent.length === 1 ? sent[0].id : null);
    if (id) unsavedList.refused.set(id, [...(unsavedList.refused.get(id) ?? []), { column, text }]);
  }
  unsavedList.render();
  form.refresh();
  const lines = [...new Set((answer?.problems ?? []).map(({ text }) => text)), answer?.detail].filter(Boolean);
  tell(answer?.message ?? say(status === 0 ? "save_offline" : status === 200 ? "save_logged_out" : "save_failed"), "error", lines);
  if (answer?.changeset) linkChangeset(answer.changeset);
}

function linkChangeset(changeset) {
  find("status").append(element("p", { class: "small" }, element("a", { href: config.urls.changeset + changeset }, say("see_changeset"))));
}

async function settle(answer) {
  const entries = await askConflicts(find("conflicts"), answer.conflicts, store);
  if (!entries) {
    tell(say("conflicts_open", { count: answer.conflicts.length }), "error");
    return;
  }
  store.settle(entries);
  tell(say("conflicts_settled"));
  await save();
}

async function save() {
  const unreadable = form.firstUnreadable();
  if (unreadable) {
    unreadable.focus();
    return tell(say("fix_first"), "error");
  }
  const broken = unsavedList.firstBroken();
  if (broken) {
    show(broken.id);
    find("form").querySelector("[aria-invalid]")?.focus();
    return tell(say("fix_first"), "error");
  }
  if (saving.pending && !await learnOfLastSave()) return undefined;
  const sent = store.unsaved();
  if (!sent.length) return tell(say("nothing_to_save"));
  const { status, body } = await wait(() => saving.send(find("reason").value, sent, keep));
  if (status === 200 && body) {
    saved(body);
    return files.sendFor(sent, body);
  }
  if (status === 409 && body?.conflicts.length) return settle(body);
  return refused(sent, status, body);
}

async function wait(send) {
  drawing.setMode("select");
  page.inert = true;
  tell(say("saving"));
  const answer = await send();
  page.inert = false;
  return answer;
}

/** The answer of the last save never came: ask for it before anything else is saved. True when there is more to save. */
async function learnOfLastSave() {
  const { entries } = saving.pending;
  const { status, body } = await wait(() => saving.ask());
  if (status !== 200 || !body) {
    if (!saving.pending && !wasUsed({ status, body })) return true; // it was never done, and now goes its usual way
    refused(entries, status, body);
    return false;
  }
  store.settle(rebased(entries, body, store));
  const sending = files.sendFor(entries, body);
  if (!store.unsaved().length) {
    saved(body);
    await sending;
    return false;
  }
  tell(say("save_found", { changeset: body.changeset }));
  await loadView();
  return true;
}

/** Show the drafts whose windows are gone; one is taken up only where nothing else waits to be saved. */
function offerDraft(key, release) {
  const { savedAt, entries, isCurtailed, key: savingKey, pending } = readDraft(key);
  const box = element("div", { class: "flash" }, element("p", {}, say("draft_found", { count: entries.length, time: new Date(savedAt).toLocaleString(document.documentElement.lang) })),
    isCurtailed ? element("p", { class: "small" }, say("draft_personal")) : "");
  const settled = () => { dropDraft(key); box.remove(); release(); };
  const button = (word, run) => {
    const made = element("button", { type: "button" }, say(word));
    made.addEventListener("click", run);
    return made;
  };
  const restore = () => {
    if (store.unsaved().length || saving.pending) return tell(say("draft_wait"), "error");
    saving.resume({ key: savingKey, pending });
    store.settle(entries);
    if (keep()) settled();
    show(entries.find(({ after }) => after)?.id);
    return loadView();
  };
  box.append(button("draft_restore", restore), " ", button("draft_drop", settled));
  find("drafts").append(box);
}

function keep() {
  if (document.querySelector("form[data-is-leaving]")) return true;
  const isKept = keepDraft(store.unsaved(), saving);
  if (!isKept) tell(say("draft_full"), "error");
  return isKept;
}

function keepDrafts() {
  let timer = 0;
  let isDirty = false;
  store.addEventListener("change", () => {
    const hasUnsaved = store.unsaved().length > 0;
    if (!hasUnsaved && !isDirty) return;
    isDirty = hasUnsaved;
    clearTimeout(timer);
    // What was saved must not come back as a draft, not even when the browser dies in the next moment.
    if (hasUnsaved) timer = setTimeout(keep, 200);
    else keep();
  });
  window.addEventListener("beforeunload", (event) => {
    if (!store.unsaved().length || document.querySelector("form[data-is-leaving]")) return;
    keep();
    event.preventDefault();
  });
}

function showOthers() {
  const choices = Object.fromEntries(config.others.map(({ name, title, color, url }) => {
    const look = { color, fillColor: color, fill: true, fillOpacity: 0.3, weight: 1.5, radius: 4 };
    return [title, L.vectorGrid.protobuf(url, { vectorTileLayerStyles: { [name]: look }, rendererFactory: L.canvas.tile, maxNativeZoom: 16, maxZoom: 18 })];
  }));
  L.control.layers({}, choices, { collapsed: true }).addTo(map);
}

function start() {
  dressMap(map);
  map.pm.setLang(config.language.startsWith("ja") ? "ja" : "en");
  if (config.start.bounds) {
    const [west, south, east, north] = config.start.bounds;
    map.fitBounds([[south, west], [north, east]], { maxZoom: 17 });
  }
  showOthers();
  new FeatureList(find("features"), find("filter"), find("features-heading"), store);
  buildTools(find("tools"), store, drawing, { undo: () => store.undo(), redo: () => store.redo(), merge, delete: () => store.run(store.selected.map(({ id }) => ({ id, after: null }))), add_at_centre: addAtCentre });
  listenForKeys(store, drawing);
  drawing.addEventListener("drawn", ({ detail }) => addFeature(detail));
  drawing.addEventListener("split", ({ detail }) => split(detail));
  const snap = find("snap");
  snap.addEventListener("change", () => drawing.setSnapping(snap.checked));
  drawing.setSnapping(snap.checked);
  find("save").addEventListener("submit", (event) => { event.preventDefault(); save(); });
  find("later").addEventListener("click", () => find("conflicts").close(""));
  watchDrafts(offerDraft);
  keepDrafts();
  map.on("moveend", loadView);
  loadView().then(() => { if (config.start.fid) store.select([`fid:${config.start.fid}`]); });
}

start();
