// How a vector tile of a layer is drawn (webmap/layer_map.py makes the rules). A classic script: folium's script,
// which is none of a module's, calls these three by name.
/* global L */
(() => {
  const POINT_RADIUS = 5;
  const LABEL_FONT = "12px system-ui, sans-serif";
  const [LABEL_HEIGHT, LABEL_GAP] = [14, 3];
  const SHAPES = {
    square: [[-1, -1], [1, -1], [1, 1], [-1, 1]],
    triangle: [[0, -1.2], [1.2, 1], [-1.2, 1]],
    diamond: [[0, -1.3], [1.3, 0], [0, 1.3], [-1.3, 0]],
    cross: [[-0.4, -1.2], [0.4, -1.2], [0.4, -0.4], [1.2, -0.4], [1.2, 0.4], [0.4, 0.4], [0.4, 1.2], [-0.4, 1.2], [-0.4, 0.4], [-1.2, 0.4], [-1.2, -0.4], [-0.4, -0.4]],
    star: Array.from({ length: 10 }, (_, n) => {
      const reach = n % 2 ? 0.6 : 1.4;
      return [reach * Math.sin((n * Math.PI) / 5), -reach * Math.cos((n * Math.PI) / 5)];
    }),
  };

  function holds(rule, value) {
    if (rule.value !== null) return value === rule.value;
    return typeof value === "number" && (rule.min === null || value >= rule.min) && (rule.max === null || value < rule.max);
  }

  /** Return VectorGrid's style function for the rules of one layer. */
  window.machimoriStyle = (spec) => (properties, zoom) => {
    const look = spec.rules.find((rule) => holds(rule, properties[spec.by])) ?? spec.rest;
    const text = properties[spec.label];
    return {
      color: look.color,
      weight: spec.shape === "line" ? look.width * (zoom < 13 ? 0.6 : 1) : Math.min(look.width, 4),
      fill: spec.shape !== "line" && spec.opacity > 0,
      fillColor: look.fill,
      fillOpacity: spec.shape === "point" ? 0.9 : spec.opacity,
      dashArray: spec.opacity > 0 ? null : "10 5",
      radius: POINT_RADIUS,
      symbol: look.symbol,
      label: zoom >= 16 && text !== undefined && text !== null ? String(spec.names[text] ?? text) : "",
    };
  };

  /** Keep the number of a feature where a click finds it. */
  window.machimoriFeatureId = (feature) => {
    feature.properties.fid = feature.id;
    return feature.id;
  };

  const Tile = L.Canvas.Tile.extend({
    _draw() {
      this._labels = [];
      L.Canvas.prototype._draw.call(this);
    },
    _updateCircle(layer) {
      const shape = SHAPES[layer.options.symbol];
      if (shape && this._drawing && !layer._empty()) {
        const { x, y } = layer._point;
        this._ctx.beginPath();
        shape.forEach(([dx, dy], n) => this._ctx[n ? "lineTo" : "moveTo"](x + dx * layer._radius, y + dy * layer._radius));
        this._ctx.closePath();
        this._fillStroke(this._ctx, layer);
      } else {
        L.Canvas.prototype._updateCircle.call(this, layer);
      }
      this._write(layer, layer._point.x + layer._radius + 3, layer._point.y, "left");
    },
    _updatePoly(layer, closed) {
      L.Canvas.prototype._updatePoly.call(this, layer, closed);
      const part = layer._parts[0];
      if (!part?.length) return;
      const [first, second] = [part[Math.floor((part.length - 1) / 2)], part[Math.ceil((part.length - 1) / 2)]];
      const middle = closed ? L.bounds(part).getCenter() : first.add(second).divideBy(2);
      this._write(layer, middle.x, middle.y, "center");
    },
    /** Whether a label overlaps none that this tile has written already; if so, its place is taken from now on. */
    _hasRoom(text, x, y, align) {
      this._ctx.font = LABEL_FONT;
      const width = this._ctx.measureText(text).width;
      const left = align === "center" ? x - width / 2 : x;
      const box = [left - LABEL_GAP, y - LABEL_HEIGHT / 2, left + width + LABEL_GAP, y + LABEL_HEIGHT / 2];
      this._labels ??= [];
      if (this._labels.some((other) => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3])) return false;
      this._labels.push(box);
      return true;
    },
    _write(layer, x, y, align) {
      const { width, height } = this._container;
      // A feature lies in several tiles: the one that holds its middle writes its label.
      if (!layer.options.label || x < 0 || y < 0 || x > width || y > height) return;
      if (!this._hasRoom(layer.options.label, x, y, align)) return;
      Object.assign(this._ctx, { font: LABEL_FONT, textAlign: align, textBaseline: "middle", globalAlpha: 1, lineWidth: 3, strokeStyle: "#fff", fillStyle: "#1b1b1b", lineJoin: "round" });
      this._ctx.strokeText(layer.options.label, x, y);
      this._ctx.fillText(layer.options.label, x, y);
    },
  });

  /** VectorGrid's rendererFactory: a canvas that knows our symbols and labels. */
  window.machimoriTile = (coordinates, size, options) => new Tile(coordinates, size, options);
})();
