// The map of a statistics page: cells of 1 km, the more incidents the darker, or the same as heat around their middles.
import { dressMap, fetchJson } from "./signs.js";

const SVG = "http://www.w3.org/2000/svg";
const box = document.getElementById("map_town");
dressMap(window.map_town);
const collection = await fetchJson(box.dataset.mesh);
const cells = L.geoJSON(collection, {
  style: ({ properties }) => ({ className: "mesh", weight: 1, fillOpacity: 0.2 + 0.6 * properties.share }),
  onEachFeature: ({ properties }, layer) => layer.bindTooltip(properties.name),
}).addTo(window.map_town);
const bounds = cells.getBounds();

/** Return an SVG element with attributes and children. */
function svg(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Return a layer with a spot of heat for each cell: from its middle to the middles of its neighbours, no finer. */
function heatLayer(features, around) {
  const [west, south, east, north] = [around.getWest(), around.getSouth(), around.getEast(), around.getNorth()];
  const gradient = svg("radialGradient", { id: "heat-spot" }, svg("stop", { offset: "0", class: "heat-hot" }), svg("stop", { offset: "1", class: "heat-cold" }));
  const picture = svg("svg", { viewBox: `${west} ${-north} ${east - west} ${north - south}`, preserveAspectRatio: "none", "aria-hidden": "true" }, svg("defs", {}, gradient));
  for (const { geometry, properties } of features) {
    const [[left, bottom], , [right, top]] = geometry.coordinates[0];
    picture.append(svg("ellipse", {
      cx: (left + right) / 2, cy: -(bottom + top) / 2, rx: (right - left) * 1.2, ry: (top - bottom) * 1.2,
      fill: "url(#heat-spot)", opacity: 0.25 + 0.75 * properties.share,
    }));
  }
  return L.svgOverlay(picture, around, { className: "heat" });
}

if (bounds.isValid()) {
  const heat = heatLayer(collection.features, bounds.pad(0.2));
  L.control.layers({ [box.dataset.cells]: cells, [box.dataset.heat]: heat }, null, { collapsed: false }).addTo(window.map_town);
  window.map_town.fitBounds(bounds, { maxZoom: 14, padding: [20, 20] });
}
box.dataset.ready = "mesh";
