"""Finding things in pictures by their names: open-vocabulary detectors."""
