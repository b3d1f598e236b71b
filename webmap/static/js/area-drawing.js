// Drawing one area on a map: polygon or rectangle by Geoman, the last one counts.

/** Let people draw on `map` in `box`; `onDrawn` gets each finished shape as a GeoJSON geometry. Returns what takes it away. */
export function letDraw(map, box, onDrawn) {
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
    onDrawn(layer.toGeoJSON().geometry);
  });
  return () => { shape?.remove(); shape = null; };
}
