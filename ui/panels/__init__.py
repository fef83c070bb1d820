"""Panels: what stands right of the rail, one module each; which role has which is decided here alone."""

from __future__ import annotations

from clinicdesk.services.people import Me
from ui.desk import Desk
from ui.panel import Action, Panel

__all__ = ["Action", "Panel", "panels_for"]


def panels_for(me: Me, desk: Desk) -> list[Panel]:
    """The panels of a role, in rail order. Panels are imported here, inside the function, so that a role loads only its own."""
    match me.role:
        case "doctor":
            from ui.panels.doctor import doctor_panels

            return doctor_panels(desk)
        case "receptionist":
            from ui.panels.appointments import AppointmentsPanel
            from ui.panels.availability import AvailabilityPanel
            from ui.panels.front_desk import FrontDeskPanel
            from ui.panels.patients import PatientsPanel
            from ui.panels.till import TillPanel
            from ui.panels.waiting_list import WaitingListPanel

            ours = (FrontDeskPanel, PatientsPanel, AppointmentsPanel, WaitingListPanel, TillPanel, AvailabilityPanel)
            return [kind(desk) for kind in ours]
        case "administrator":
            from ui.panels.appointments import AppointmentsPanel
            from ui.panels.audit import AuditPanel
            from ui.panels.availability import AvailabilityPanel
            from ui.panels.backups import BackupsPanel
            from ui.panels.clinic_settings import SettingsPanel
            from ui.panels.clinical_content import ContentPanel
            from ui.panels.front_desk import FrontDeskPanel
            from ui.panels.keys import KeysPanel
            from ui.panels.overview import OverviewPanel
            from ui.panels.patients import PatientsPanel
            from ui.panels.sessions import SessionsPanel
            from ui.panels.staff import StaffPanel
            from ui.panels.till import TillPanel

            kinds = (OverviewPanel, FrontDeskPanel, PatientsPanel, AppointmentsPanel, TillPanel, AvailabilityPanel, StaffPanel,
                     SessionsPanel, AuditPanel, BackupsPanel, ContentPanel, KeysPanel, SettingsPanel)
            return [kind(desk) for kind in kinds]
        case "patient":
            from ui.panels.mine import MinePanel

            return [MinePanel(desk)]
    return []
