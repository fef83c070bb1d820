"""The tour: every role's main job, done through the real windows as a person would, on a fresh demo clinic, with pictures."""
