"""The time axis of a patient and the growth charts of a child."""
