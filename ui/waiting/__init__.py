"""Who waits: the waiting room with its call screen, and the waiting list with its offers."""
