// The map of a draft: its area, and a shape to draw, which goes as GeoJSON into the form.
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
  map.pm.setLang(document.documentElement.lang.startsWith("ja") ? "ja" : "en");
  map.pm.addControls({
    position: "topleft", drawPolygon: true, drawRectangle: true, drawMarker: false, drawCircle: false, drawCircleMarker: false,
    drawPolyline: false, drawText: false, editMode: false, dragMode: false, cutPolygon: false, removalMode: false, rotateMode: false,
  });
  // Geoman names its buttons by a title around them only; a screen reader wants the name on the link.
  for (const button of box.querySelectorAll(".button-container[title] > .leaflet-buttons-control-button")) {
    button.setAttribute("aria-label", button.parentElement.title);
  }
  let shape = null;
  map.on("pm:create", ({ layer }) => {
    shape?.remove();
    shape = layer;
    drawn.value = JSON.stringify(layer.toGeoJSON().geometry);
    document.getElementById("source").value = "drawn";
    drawn.closest("details").open = true;
    drawn.form.querySelector("[value=add]").focus();
  });
}
box.dataset.ready = "area";
