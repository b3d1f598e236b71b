// The box of a check-out: from the fields to the map, from the map's view or a drawn box to the fields.
import { dressMap } from "./signs.js";

const map = window.map_town;
const SIDES = ["west", "south", "east", "north"];
const fields = SIDES.map((side) => document.getElementById(side));
const drawButton = document.getElementById("draw-box");
const frame = L.rectangle([[0, 0], [0, 0]], { color: "#1d4ed8", weight: 2, fillOpacity: 0.1, interactive: false });
let start = null;

function show() {
  const values = fields.map((field) => field.valueAsNumber);
  if (values.some(Number.isNaN)) return frame.remove();
  const [west, south, east, north] = values;
  return frame.setBounds([[south, west], [north, east]]).addTo(map);
}

/** A box of one's own takes the place of the ticked places, which the server would prefer. */
function untick() {
  for (const tick of document.querySelectorAll("#places input:checked")) tick.checked = false;
}

function fill(bounds) {
  untick();
  const values = [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
  fields.forEach((field, place) => { field.value = values[place].toFixed(5); });
  show();
}

function setDrawing(isOn) {
  drawButton.setAttribute("aria-pressed", String(isOn));
  map.dragging[isOn ? "disable" : "enable"]();
  map.getContainer().style.cursor = isOn ? "crosshair" : "";
  map.getContainer().style.touchAction = isOn ? "none" : "";
  start = null;
}

dressMap(map);
document.getElementById("box-tools").hidden = false;
document.getElementById("use-view").addEventListener("click", () => fill(map.getBounds()));
drawButton.addEventListener("click", () => setDrawing(drawButton.getAttribute("aria-pressed") !== "true"));
const place = (event) => map.mouseEventToLatLng(event);
map.getContainer().addEventListener("pointerdown", (event) => {
  if (drawButton.getAttribute("aria-pressed") === "true") start = place(event);
});
map.getContainer().addEventListener("pointermove", (event) => { if (start) fill(L.latLngBounds(start, place(event))); });
map.getContainer().addEventListener("pointerup", () => { if (start) setDrawing(false); });
fields.forEach((field) => field.addEventListener("change", () => { untick(); show(); }));
show();
if (map.hasLayer(frame)) map.fitBounds(frame.getBounds(), { padding: [20, 20], animate: false });
map.getContainer().dataset.ready = "checkout";
