// A layer's page: the map fitted to the layer, a click that leads to a feature's history, the slider through the past.
import { dressMap, element } from "./signs.js";

const DAY_MS = 86_400_000;
const box = document.getElementById("map_town");
const map = window.map_town;
const tiles = window.vector_grid_protobuf_layer;
const [field, slide] = [document.getElementById("at"), document.getElementById("slide")];
let wait = 0;

function show(day) {
  field.value = day;
  // Today is the present: what is saved from now on shows, too.
  tiles.setUrl(box.dataset.tiles + (day < box.dataset.today ? day : ""));
}

dressMap(map);
const [extent, start, minZoom] = [box.dataset.extent, box.dataset.start, box.dataset.minZoom].map(JSON.parse);
if (extent) map.fitBounds([[extent[1], extent[0]], [extent[3], extent[2]]], { maxZoom: 16, animate: false });
if (start && map.getZoom() < minZoom) map.setView([start[1], start[0]], minZoom, { animate: false });
tiles.on("click", ({ latlng, layer }) => {
  const fid = String(layer.properties.fid);
  const link = element("a", { href: box.dataset.features + fid }, box.dataset.link.replace("{fid}", fid));
  L.popup().setLatLng(latlng).setContent(link).openOn(map);
});
const ready = () => { box.dataset.ready = "layer"; };
tiles.isLoading() ? tiles.once("load", ready) : ready();
slide.hidden = slide.max === "0";
slide.addEventListener("input", () => {
  const day = new Date(Date.parse(field.min) + slide.valueAsNumber * DAY_MS).toISOString().slice(0, 10);
  field.value = day;
  clearTimeout(wait); // while the thumb moves, only the last day is fetched
  wait = setTimeout(show, 200, day);
});
