// The features on the map, and Geoman's hands on them: draw, reshape, move, snap.
/* global L */
import { layer } from "./words.js";
import { same } from "./store.js";

const SELECTED = "#c65a00";
// Leaflet's own box zooms; ours selects (shift and drag).
const BoxSelect = L.Map.BoxZoom.extend({
  _onMouseUp(event) {
    if (event.button !== 0) return;
    this._finish();
    if (!this._moved) return;
    this._clearDeferredResetState();
    this._resetStateTimeout = setTimeout(() => this._resetState(), 0);
    const corners = [this._startPoint, this._point].map((point) => this._map.containerPointToLatLng(point));
    this._map.fire("boxselect", { bounds: L.latLngBounds(...corners) });
  },
});

function colorOf(attributes) {
  const { by, color, classes } = layer.style;
  const value = attributes[by];
  const holds = (one) => one.value !== null ? one.value === value
    : typeof value === "number" && (one.min === null || value >= one.min) && (one.max === null || value < one.max);
  return classes.find(holds)?.color ?? color;
}

/** What Geoman calls the shapes this layer takes. */
export const DRAWN = { Point: ["CircleMarker"], MultiPoint: ["CircleMarker"], MultiLineString: ["Line"], MultiPolygon: ["Polygon"] }[layer.geometry] ?? ["CircleMarker", "Line", "Polygon"];

export class Drawing extends EventTarget {
  #shapes = new Map(); // id → {shape, geometry}
  #mode = "select";

  constructor(map, store) {
    super();
    this.map = map;
    this.store = store;
    this.group = L.layerGroup().addTo(map);
    map.boxZoom.disable();
    new BoxSelect(map).enable();
    map.on("boxselect", ({ bounds }) => this.#selectBox(bounds));
    map.on("pm:create", (event) => this.#drawn(event));
    store.addEventListener("change", () => this.render());
    store.addEventListener("selection", () => { this.render(); this.#grip(); });
  }

  get mode() { return this.#mode; }

  setSnapping(isOn) {
    this.map.pm.setGlobalOptions({ snappable: isOn, snapDistance: 15 });
    this.#grip();
  }

  /** Change what the mouse does: select, move, reshape, box, split, or add:<shape>. */
  setMode(mode) {
    this.map.pm.disableDraw();
    this.#mode = mode;
    const drawn = { box: "Rectangle", split: "Line" }[mode] ?? (mode.startsWith("add:") ? mode.slice(4) : null);
    if (drawn) this.map.pm.enableDraw(drawn, { continueDrawing: false, tooltips: true });
    this.#grip();
    this.dispatchEvent(new Event("mode"));
  }

  /** Show a feature, wherever it lies. */
  show(record) {
    const shape = this.#shapes.get(record.id)?.shape;
    if (!shape) return;
    if (shape.getBounds) this.map.fitBounds(shape.getBounds(), { maxZoom: 17, padding: [40, 40] });
    else this.map.setView(shape.getLatLng(), Math.max(this.map.getZoom(), 16));
  }

  render() {
    for (const [id, { shape, geometry }] of this.#shapes) {
      if (this.store.get(id)?.geometry === geometry) continue;
      this.#release(shape);
      this.group.removeLayer(shape);
      this.#shapes.delete(id);
    }
    for (const record of this.store.all()) {
      if (record.geometry && !this.#shapes.has(record.id)) this.#add(record);
      this.#shapes.get(record.id)?.shape.setStyle(this.#look(record));
    }
  }

  #look(record) {
    const isSelected = this.store.isSelected(record.id);
    const isSaved = this.store.before(record.id) === record;
    return {
      color: isSelected ? SELECTED : colorOf(record.attributes),
      weight: Math.max(layer.style.width, 2) + (isSelected ? 3 : 0),
      dashArray: isSaved ? null : "7 5",
      fillOpacity: isSelected ? 0.35 : 0.2,
    };
  }

  #add(record) {
    const options = { pointToLayer: (_, position) => L.circleMarker(position, { radius: 7, fillOpacity: 0.8 }) };
    const [shape] = L.geoJSON(record.geometry, options).getLayers();
    const { id } = record;
    shape.on("click", (event) => this.#clicked(id, event));
    shape.on("pm:edit pm:dragend", () => this.#edited(id));
    this.#shapes.set(id, { shape, geometry: record.geometry });
    this.group.addLayer(shape);
    if (this.store.isSelected(id)) this.#hold(shape);
  }

  #clicked(id, { originalEvent }) {
    if (!["select", "move", "reshape"].includes(this.#mode)) return;
    L.DomEvent.stopPropagation(originalEvent);
    const others = this.store.selected.map((record) => record.id);
    if (!originalEvent.shiftKey && !originalEvent.ctrlKey) this.store.select([id]);
    else this.store.select(others.includes(id) ? others.filter((other) => other !== id) : [...others, id]);
  }

  #edited(id) {
    const held = this.#shapes.get(id);
    const record = this.store.get(id);
    if (!held || !record) return;
    const { geometry } = held.shape.toGeoJSON(false);
    if (same(geometry, record.geometry)) return;
    held.geometry = geometry; // this shape shows it already, and Geoman is holding it
    this.store.run([{ id, after: { ...record, geometry } }]);
  }

  #drawn({ layer: shape }) {
    const mode = this.#mode;
    shape.remove();
    this.setMode("select");
    if (mode === "box") this.#selectBox(shape.getBounds());
    else this.dispatchEvent(new CustomEvent(mode === "split" ? "split" : "drawn", { detail: shape.toGeoJSON(false).geometry }));
  }

  #selectBox(bounds) {
    const inside = ([, { shape }]) => shape.getBounds ? bounds.intersects(shape.getBounds()) : bounds.contains(shape.getLatLng());
    this.store.select([...this.#shapes].filter(inside).map(([id]) => id));
  }

  /** Let Geoman hold what is selected, and nothing else. */
  #grip() {
    for (const [id, { shape }] of this.#shapes) {
      this.#release(shape);
      if (this.store.isSelected(id)) this.#hold(shape);
    }
  }

  #hold(shape) {
    if (this.#mode === "reshape" && !(shape instanceof L.CircleMarker)) shape.pm?.enable({ allowSelfIntersection: true });
    else if (["move", "reshape"].includes(this.#mode)) shape.pm?.enableLayerDrag();
  }

  #release(shape) {
    if (shape.pm?.enabled()) shape.pm.disable();
    if (shape.pm?.layerDragEnabled()) shape.pm.disableLayerDrag();
  }
}
