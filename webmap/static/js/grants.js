// The areas that rights are limited to, each with its department; the one being chosen in another colour.
import { dressMap, element } from "./signs.js";

const box = document.getElementById("map_town");
const map = window.map_town;
dressMap(map);
const lookOf = ({ properties }) => properties.is_new ? { color: "#1d4ed8", weight: 3 } : { color: "#a4243b", weight: 2, dashArray: "6 4" };
const shapes = L.geoJSON(JSON.parse(box.dataset.shapes), {
  style: (feature) => ({ ...lookOf(feature), fillOpacity: 0.15 }),
  onEachFeature: ({ properties }, layer) => layer.bindTooltip(element("span", {}, properties.name)),
}).addTo(map);
const bounds = shapes.getBounds();
if (bounds.isValid()) map.fitBounds(bounds, { maxZoom: 16, padding: [20, 20], animate: false });
box.dataset.ready = "grants";
