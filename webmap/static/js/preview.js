// What was understood of a file, on the map, before it becomes a layer.
import { dressMap } from "./signs.js";

const box = document.getElementById("map_town");
const map = window.map_town;
dressMap(map);
const shapes = L.geoJSON(JSON.parse(box.dataset.shapes), {
  style: { color: "#a4243b", weight: 2, fillOpacity: 0.2 },
  pointToLayer: (_, place) => L.circleMarker(place, { radius: 5, color: "#a4243b", weight: 2, fillOpacity: 0.5 }),
}).addTo(map);
const bounds = shapes.getBounds();
if (bounds.isValid()) map.fitBounds(bounds, { maxZoom: 17, padding: [20, 20], animate: false });
box.dataset.ready = "preview";
