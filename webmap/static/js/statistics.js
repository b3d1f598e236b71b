// The map of the statistics page: cells of 1 km, the more incidents the darker.
import { dressMap, fetchJson } from "./signs.js";

const box = document.getElementById("map_town");
dressMap(window.map_town);
const cells = L.geoJSON(await fetchJson(box.dataset.mesh), {
  style: ({ properties }) => ({ className: "mesh", weight: 1, fillOpacity: 0.2 + 0.6 * properties.share }),
  onEachFeature: ({ properties }, layer) => layer.bindTooltip(properties.name),
}).addTo(window.map_town);
const bounds = cells.getBounds();
if (bounds.isValid()) window.map_town.fitBounds(bounds, { maxZoom: 14, padding: [20, 20] });
box.dataset.ready = "mesh";
