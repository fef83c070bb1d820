"""The verbs of the clinic: functions that take the session first and give back frozen dataclasses.

Who owns the transaction is decided outside (`clinicdesk.clinic.Clinic.read` and `.write`). Records named `…Row` are for lists, `…Card`
for detail, `…Sheet` for paper, `New…` for requests. Times are aware, money is Decimal, ids of patients are `p_` strings.
"""
