"""The video models: transformers with their guidance, and the systems around them."""
