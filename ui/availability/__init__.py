"""Parts of the availability panel: weekly hours, closures, time slots, who is free."""
