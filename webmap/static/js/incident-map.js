// The map of one incident at the desk: the public area, what the source said as a ring with a cross, an area to draw.
import { letDraw } from "./area-drawing.js";
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

/** Say how many households live in a drawn area: below the least of them it would be refused. */
async function sayHouseholds(geometry) {
  const says = document.getElementById("households");
  const { households, least } = await fetchJson(`${says.dataset.count}?drawn=${encodeURIComponent(JSON.stringify(geometry))}`);
  says.textContent = (households < least ? says.dataset.few : says.dataset.enough).replace("{count}", households);
}

/** Return what a refused form kept of a drawing, null when somebody wrote what is no JSON. */
function keptShape(written) {
  try {
    return JSON.parse(written);
  } catch {
    return null;
  }
}

const drawn = document.getElementById("drawn");
if (drawn) {
  const kept = drawn.value && keptShape(drawn.value);
  if (kept) L.geoJSON(kept, { style: { dashArray: "6 4" } }).addTo(window.map_town);
  letDraw(window.map_town, box, async (geometry) => {
    drawn.value = JSON.stringify(geometry);
    document.getElementById("rule").value = "drawn";
    drawn.closest("details").open = true;
    document.getElementById("reason-area").focus();
    await sayHouseholds(geometry);
    box.dataset.ready = "drawn";
  });
}
box.dataset.ready = "area";
