"""Drives the real QGIS of the distribution without a screen; run by the system's Python, prints one JSON object.

python3 drive_qgis.py describe|edit|look|intrude|field|pipes FILE
    # a project's layers; an edit; a layer by its URI (in FILE); features for layers that are not one's own (in FILE);
    # a checked-out file's evacuation sites, edited; its sewer pipes
"""

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from qgis.core import (
    QgsApplication,
    QgsException,
    QgsFeature,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsProviderRegistry,
    QgsRenderContext,
    QgsVectorLayer,
    QgsVectorLayerUtils,
)


def describe(path: Path) -> dict[str, object]:
    project = QgsProject.instance()
    assert project.read(str(path)), project.error()
    extent = project.viewSettings().defaultViewExtent()
    return {
        "crs": project.crs().authid(),
        "extent": [extent.xMinimum(), extent.yMinimum(), extent.xMaximum(), extent.yMaximum()],
        "groups": [group.name() for group in project.layerTreeRoot().findGroups()],
        "order": [layer.id() for layer in project.layerTreeRoot().layerOrder()],
        "layers": {layer.id(): _layer(layer) for layer in project.mapLayers().values()},
    }


def _layer(layer: QgsVectorLayer) -> dict[str, object]:
    renderer, names = layer.renderer(), [field.name() for field in layer.fields()]
    widgets = {name: layer.editorWidgetSetup(place) for place, name in enumerate(names)}
    return {
        "is_valid": layer.isValid(),
        "name": layer.name(),
        "crs": layer.crs().authid(),
        "count": layer.featureCount(),
        "renderer": renderer.type() if renderer else "",
        "classes": _classes(layer) if renderer else {},
        "color": _color(layer) if renderer else "",
        "has_labels": layer.labelsEnabled(),
        "label": layer.labeling().settings().fieldName if layer.labeling() else "",
        "scales": [layer.minimumScale(), layer.maximumScale()] if layer.hasScaleBasedVisibility() else [],
        "is_read_only": layer.readOnly(),
        "widgets": {name: widget.type() for name, widget in widgets.items()},
        "maps": {name: widget.config().get("map") for name, widget in widgets.items() if widget.type() == "ValueMap"},
        "aliases": {name: layer.attributeAlias(place) for place, name in enumerate(names)},
        "rules": {name: layer.constraintExpression(place) for place, name in enumerate(names)},
        "constraints": {name: int(layer.fieldConstraints(place)) for place, name in enumerate(names)},
    }


def _classes(layer: QgsVectorLayer) -> dict[str, int]:
    """How many features QGIS draws under each label of the legend."""
    renderer, context = layer.renderer().clone(), QgsRenderContext()
    labels = {item.ruleKey(): item.label() for item in renderer.legendSymbolItems()}
    renderer.startRender(context, layer.fields())
    found: dict[str, int] = {}
    for feature in layer.getFeatures():
        context.expressionContext().setFeature(feature)
        for key in renderer.legendKeysForFeature(feature, context):
            found[labels.get(key, key)] = found.get(labels.get(key, key), 0) + 1
    renderer.stopRender(context)
    return found


def _color(layer: QgsVectorLayer) -> str:
    symbols = layer.renderer().symbols(QgsRenderContext())
    return str(symbols[0].color().name())


def edit(path: Path) -> dict[str, object]:
    """Add a manhole and change another, as a person does; try the same in a layer of somebody else."""
    project = QgsProject.instance()
    assert project.read(str(path))
    layer = project.mapLayer("machimori_sewer_manhole_point")
    other = next(layer.getFeatures())
    assert layer.startEditing()
    feature = QgsVectorLayerUtils.createFeature(
        layer,
        QgsGeometry.fromPointXY(QgsPointXY(141.2, 38.4)),
        {layer.fields().indexOf("manhole_id"): "QGIS-1", layer.fields().indexOf("depth_m"): 2.5},
    )
    assert layer.addFeature(feature)
    assert layer.changeAttributeValue(other.id(), layer.fields().indexOf("note"), "QGISで確認")
    is_saved = layer.commitChanges()
    foreign = project.mapLayer("machimori_shelter_point")
    foreign.setReadOnly(False)
    is_started = foreign.startEditing()
    refused = QgsFeature(foreign.fields())
    refused.setGeometry(QgsGeometry.fromPointXY(QgsPointXY(141.2, 38.4)))
    refused.setAttribute("name", "x")
    return {
        "is_saved": is_saved,
        "errors": layer.commitErrors(),
        "changed": other["manhole_id"],
        "is_foreign_started": is_started,
        "is_foreign_added": foreign.dataProvider().addFeatures([refused])[0],
        "foreign_error": str(foreign.dataProvider().error().message()) + " ".join(foreign.dataProvider().errors()),
    }


def look(path: Path) -> dict[str, object]:
    """Open a table by its URI and run statements, as QGIS's database manager does."""
    asked = json.loads(path.read_text(encoding="utf-8"))
    layer = QgsVectorLayer(asked["uri"], "x", "postgres")
    connection = QgsProviderRegistry.instance().providerMetadata("postgres").createConnection(asked["server"], {})
    answers = {}
    for statement in asked["statements"]:
        try:
            answers[statement] = str(connection.executeSql(statement))
        except QgsException as error:
            answers[statement] = str(error)
    return {
        "is_valid": layer.isValid(),
        "tables": [table.tableName() for table in connection.tables("layers")],
        "answers": answers,
    }


def intrude(path: Path) -> dict[str, object]:
    """Add a feature to each layer through its provider, whatever the form would allow."""
    answers = []
    for asked in json.loads(path.read_text(encoding="utf-8")):
        layer = QgsVectorLayer(asked["uri"], "x", "postgres")
        provider = layer.dataProvider()
        feature = QgsFeature(layer.fields())
        if layer.isSpatial():
            feature.setGeometry(QgsGeometry.fromPointXY(QgsPointXY(*asked["place"])))
        for name, value in asked["values"].items():
            if layer.fields().indexOf(name) >= 0:
                feature.setAttribute(name, value)
        is_added = layer.isValid() and provider.addFeatures([feature])[0]
        error = f"{provider.error().message()} {' '.join(provider.errors())}" if provider else ""
        answers.append({"is_valid": layer.isValid(), "is_added": is_added, "error": error})
    return {"answers": answers}


def field(path: Path) -> dict[str, object]:
    """Open a checked-out layer as a person in the field does, add to it and change it."""
    layer = QgsVectorLayer(f"{path}|layername=evacuation_site", "sites", "ogr")
    found = _layer(layer)
    fields = layer.fields()
    other = next(layer.getFeatures())
    assert layer.startEditing()
    layer.changeAttributeValue(other.id(), fields.indexOf("capacity"), 55)
    point = QgsGeometry.fromPointXY(QgsPointXY(141.2, 38.41))
    new = QgsVectorLayerUtils.createFeature(
        layer, point, {fields.indexOf("name"): "新", fields.indexOf("site_id"): "QGIS-1"}
    )
    assert layer.addFeature(new)
    return {"layer": found, "is_saved": layer.commitChanges(), "errors": layer.commitErrors()}


def pipes(path: Path) -> dict[str, object]:
    """Open the sewer pipes of a checked-out file."""
    return {"layer": _layer(QgsVectorLayer(f"{path}|layername=sewer_pipe", "pipes", "ogr"))}


if __name__ == "__main__":
    application = QgsApplication([], False)
    application.initQgis()
    parts = (describe, edit, look, intrude, field, pipes)
    result = {part.__name__: part for part in parts}[sys.argv[1]](Path(sys.argv[2]))
    print(json.dumps(result, ensure_ascii=False))
    sys.stdout.flush()
    QgsProject.instance().clear()
    application.exitQgis()
