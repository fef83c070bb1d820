"""What can go wrong, said in sentences that are safe to show a person (no SQL, no secrets, no patient's clinical text).

Two kinds only: the world went wrong (a `ClinicError`: one sentence and what to do) or we did (anything else: a bug, logged with
a reference number). Storage translates driver errors into these once; nobody else looks at SQLSTATEs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


class ClinicError(Exception):
    """Something a person can understand: `sentence` says what happened, `advice` what to do (may be empty)."""

    def __init__(self, sentence: str, advice: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.advice = advice


@dataclass(frozen=True, slots=True)
class FreePlace:
    """A bookable interval offered instead of a taken one; times are aware."""

    doctor_id: int
    starts_at: datetime
    ends_at: datetime


class SlotTaken(ClinicError):
    """The doctor already has an appointment then. `holder` says who (where the reader may know), `nearest` the free places."""

    def __init__(self, sentence: str, holder: str = "", nearest: Sequence[FreePlace] = ()) -> None:
        super().__init__(sentence, "Choose another time.")
        self.holder = holder
        self.nearest = tuple(nearest)


class Invalid(ClinicError):
    """A value breaks a rule; `field` names the form field (the column name) that must be corrected."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class ReasonNeeded(Invalid):
    """An alert of tier 1 stands against a prescribed line (`items.N`) and no confirmed reason was given for it."""


class Duplicate(Invalid):
    """A value that must be unique is already in use; `field` names it."""


class NotAllowed(ClinicError):
    """The signed-in person may not do this, or the thing does not exist for her: the two are never told apart."""

    def __init__(self, sentence: str = "You cannot do this, or it no longer exists.") -> None:
        super().__init__(sentence, "Ask an administrator if you need access.")


class ChangedElsewhere(ClinicError):
    """Somebody else changed the same thing since it was read; nothing was overwritten."""

    def __init__(self, sentence: str = "Somebody else changed this in the meantime.") -> None:
        super().__init__(sentence, "Look at the newer version, then repeat your change.")


class Collision(ChangedElsewhere):
    """Two transactions waited for each other and the database ended this one: nothing was done, and doing it again is right."""


class VisitSigned(ClinicError):
    """The visit is signed: nothing in it changes any more, whoever asks."""

    def __init__(self) -> None:
        super().__init__("This visit is signed and cannot be changed.")


class Unavailable(ClinicError):
    """A server cannot be reached now; `what` is "database" or "documents". Shown as a banner, not as a box per panel."""

    def __init__(self, what: str, sentence: str, advice: str = "Your work is kept. Trying again by itself.") -> None:
        super().__init__(sentence, advice)
        self.what = what


class SignInRefused(ClinicError):
    """Name and password do not fit, or too many tries; known and unknown names look the same. `wait` is in seconds."""

    def __init__(self, sentence: str = "Name or password is wrong.", wait: float = 0.0) -> None:
        super().__init__(sentence)
        self.wait = wait


class SecondFactorNeeded(ClinicError):
    """The password was right and a code is still missing; `half` is what `Clinic.give_code` or `Clinic.enrol` goes on with.

    `needs` is "code", or "enrol" when the clinic asks for a second factor and this person has none yet.
    """

    def __init__(self, half: object, needs: str) -> None:
        super().__init__("This account asks for a code of its authenticator.", "Sign in in the window.")
        self.half, self.needs = half, needs


class SignedOut(ClinicError):
    """The session ended: idle too long, too old, or ended by an administrator. Unsaved work stays in the window."""

    def __init__(self) -> None:
        super().__init__("Your session has ended.", "Sign in again; what you typed is still here.")


class CannotStart(ClinicError):
    """The application cannot run with this configuration, folder or server; `code` is a stable word for `clinicdesk check`."""

    def __init__(self, code: str, sentence: str, advice: str = "") -> None:
        super().__init__(sentence, advice)
        self.code = code
