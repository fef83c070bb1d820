"""What a person sees: the Qt windows of ClinicDesk. No SQL and no drivers in here; everything goes through `ui.desk`."""
