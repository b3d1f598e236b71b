// Where a message's recipients are: cells of 500 m over the area on the small map, by how many have it.
import { fetchJson } from "./signs.js";

const map = window.map_town;
const collection = await fetchJson(document.getElementById("reach").dataset.cells);
// Above the area, so that a finger meets the cell.
map.createPane("reach").style.zIndex = 450;
L.geoJSON(collection, {
  pane: "reach",
  style: ({ properties }) => ({ className: `reach reach-${properties.look}`, weight: 1.5 }),
  onEachFeature: ({ properties }, layer) => layer.bindTooltip(properties.name),
}).addTo(map);
document.getElementById("reach").dataset.ready = "cells";
