"""The presets: a TOML file each, complete."""
