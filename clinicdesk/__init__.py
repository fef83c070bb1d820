"""What the clinic does: tables, rules, services, storage, jobs, paper and interchange. No Qt below this line."""

__version__ = "0.1.0"
