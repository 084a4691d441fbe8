"""The shipped presets: YAML files, each a change to the one it extends."""
