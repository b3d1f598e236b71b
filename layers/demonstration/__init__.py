"""The demonstration town, drawn by code: plan, ground, facilities, hazards, sewers; and its way into the layers."""
