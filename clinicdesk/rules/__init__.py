"""What is true in a clinic whatever the storage: pure functions, no clock, no I/O, no Qt.

A rule that refuses raises `clinicdesk.errors.Invalid(field, sentence)` where the sentence says what is allowed. Today's date, the
time zone and random numbers are always arguments, so every rule can be tested at every boundary.
"""
