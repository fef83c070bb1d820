"""The consulting room: chart beside the editor with notes, vitals and prescription."""
