"""How well a video keeps to its timeline."""
