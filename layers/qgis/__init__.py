"""How QGIS shows our layers: forms, symbols, labels, and whole projects."""
