"""Networks, or example pictures, that say how well a stretch of video fits a text."""
