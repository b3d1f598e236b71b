// The small map on an alert's or incident's page: one area, the view fitted to it.
import { areaLayer, dressMap, fetchJson } from "./signs.js";

const box = document.getElementById("map_town");
dressMap(window.map_town);
const areas = window.feature_group_areas;
const collection = await fetchJson(box.dataset.area);
collection.features.forEach((feature) => areaLayer(feature).addTo(areas));
const bounds = areas.getBounds();
if (bounds.isValid()) window.map_town.fitBounds(bounds, { maxZoom: 13, padding: [20, 20] });
box.dataset.ready = "area";
