"""From similarities of windows and texts to when each action takes place, and how well that fits."""
