"""Paper: frozen dataclasses in, PDF bytes out. The only user of ReportLab. The same record gives the same bytes on every machine."""
