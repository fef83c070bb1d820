"""What ClinicDesk costs beside what it cannot cost less than. Found in the source tree only; `clinicdesk bench` runs it."""
