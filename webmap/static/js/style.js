// A layer's style: every change of the form shows on the map and in the legend before it is saved.
import { dressMap } from "./signs.js";

const PAUSE_MS = 250;
const form = document.getElementById("style");
const legend = document.getElementById("legend");
const box = document.getElementById("map_town");
const map = window.map_town;
const tiles = window.vector_grid_protobuf_layer;
let wait = 0;
let asked = 0;

async function preview() {
  const mine = ++asked;
  const answer = await fetch(form.dataset.preview, { method: "POST", body: new FormData(form), headers: { Accept: "application/json" } }).catch(() => null);
  // Only the newest answer counts; a half-typed number leaves the last good picture.
  if (mine !== asked || !answer?.ok) return;
  const { spec, draw, legend: words } = await answer.json();
  legend.innerHTML = words;
  tiles.options.vectorTileLayerStyles[form.dataset.layer] = window.machimoriStyle(spec);
  tiles.setUrl(form.dataset.tiles + draw.join(","));
  box.dataset.previews = String(mine);
}

dressMap(map);
const [extent, start, minZoom] = [box.dataset.extent, box.dataset.start, box.dataset.minZoom].map(JSON.parse);
if (extent) map.fitBounds([[extent[1], extent[0]], [extent[3], extent[2]]], { maxZoom: 16, animate: false });
if (start && map.getZoom() < minZoom) map.setView([start[1], start[0]], minZoom, { animate: false });
box.dataset.ready = "style";
form.addEventListener("input", ({ target }) => {
  if (target.name === "reason") return;
  clearTimeout(wait);
  wait = setTimeout(preview, PAUSE_MS);
});
