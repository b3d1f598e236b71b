// The map of one incident at the desk: the public area, and what the source said as a ring with a cross.
import { areaLayer, dressMap, element, fetchJson } from "./signs.js";

const box = document.getElementById("map_town");
dressMap(window.map_town);
const group = window.feature_group_areas;
const collection = await fetchJson(box.dataset.area);
for (const feature of collection.features) {
  if (feature.properties.what === "public") {
    areaLayer(feature).addTo(group);
    continue;
  }
  const [lon, lat] = feature.geometry.coordinates;
  L.circle([lat, lon], { radius: feature.properties.accuracy_m ?? 0, color: "#000", weight: 2, dashArray: "4 4", fill: false }).addTo(group);
  const name = `${feature.properties.source}: ${box.dataset.original}`;
  L.marker([lat, lon], { icon: L.divIcon({ html: element("span", {}, "✚"), className: "", iconSize: [24, 24] }), title: name, alt: name }).addTo(group);
}
const bounds = group.getBounds();
if (bounds.isValid()) window.map_town.fitBounds(bounds, { maxZoom: 15, padding: [20, 20] });
box.dataset.ready = "area";
