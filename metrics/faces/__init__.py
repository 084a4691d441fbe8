"""Faces: finding, aligning and recognising them."""
