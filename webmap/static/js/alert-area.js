// The map of a draft: its area, and a shape to draw, which goes as GeoJSON into the form.
import { letDraw } from "./area-drawing.js";
import { areaLayer, dressMap, fetchJson } from "./signs.js";

const box = document.getElementById("map_town");
const map = window.map_town;
dressMap(map);
const areas = window.feature_group_areas;
const collection = await fetchJson(box.dataset.area);
collection.features.filter((feature) => feature.geometry?.coordinates?.length).forEach((feature) => areaLayer(feature).addTo(areas));
const bounds = areas.getBounds();
if (bounds.isValid()) map.fitBounds(bounds, { maxZoom: 15, padding: [20, 20] });

const drawn = document.getElementById("drawn");
if (drawn) {
  letDraw(map, box, (geometry) => {
    drawn.value = JSON.stringify(geometry);
    document.getElementById("source").value = "drawn";
    drawn.closest("details").open = true;
    drawn.form.querySelector("[value=add]").focus();
  });
}
box.dataset.ready = "area";
