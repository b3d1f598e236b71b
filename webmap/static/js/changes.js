// The map of a changeset or of a feature's life: what was is red and broken, what is is green.
import { dressMap, fetchJson } from "./signs.js";

const box = document.getElementById("map_town");
const group = window.feature_group_areas;
dressMap(window.map_town);
const { features } = await fetchJson(box.dataset.changes);
features.forEach((feature) => {
  const className = `change ${feature.properties.state}`;
  L.geoJSON(feature, {
    style: { className },
    pointToLayer: (_, position) => L.circleMarker(position, { radius: feature.properties.state === "before" ? 9 : 6, className }),
  }).addTo(group);
});
const bounds = group.getBounds();
if (bounds.isValid()) window.map_town.fitBounds(bounds, { maxZoom: 17, padding: [20, 20] });
box.dataset.ready = "changes";
