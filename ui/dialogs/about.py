"""About ClinicDesk: the version, and every part with the licence it is under."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QListWidget, QPlainTextEdit, QVBoxLayout, QWidget

from clinicdesk import __version__
from clinicdesk.components import Component, components
from clinicdesk.paths import resource
from ui.desk import Desk
from ui.widgets.text import button, label


class AboutWindow(QDialog):
    """`parts` are read on a worker; choosing one shows its texts."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.parts: list[Component] = []
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("About ClinicDesk"))
        picture = QLabel()
        icon = QPixmap(str(resource("icon/clinicdesk-256.png")))
        ratio = self.devicePixelRatioF()
        icon = icon.scaledToWidth(round(64 * ratio), Qt.TransformationMode.SmoothTransformation)
        icon.setDevicePixelRatio(ratio)
        picture.setPixmap(icon)
        self.version = label(self.tr("Version {0}").format(__version__), "soft", selectable=True)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(label("ClinicDesk", "display"))
        words.addWidget(self.version)
        words.addWidget(label(self.tr("Licensed under the Apache License 2.0. It is made of the parts below, each under its own licence."),
                              "soft", wrap=True))
        head = QHBoxLayout()
        head.setSpacing(16)
        head.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        head.addLayout(words, 1)
        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("Parts"))
        self.list.setFixedWidth(300)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.currentRowChanged.connect(self._show)
        self.licence = label("", "heading", wrap=True, selectable=True)
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.setAccessibleName(self.tr("Licence"))
        right = QVBoxLayout()
        right.setSpacing(8)
        right.addWidget(self.licence)
        right.addWidget(self.text, 1)
        body = QHBoxLayout()
        body.setSpacing(16)
        body.addWidget(self.list)
        body.addLayout(right, 1)
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(button(self.tr("Close"), self.close, variant="primary", tip=self.tr("Close  (Esc)")))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(24, 20, 24, 16)
        outer.setSpacing(16)
        outer.addLayout(head)
        outer.addLayout(body, 1)
        outer.addLayout(foot)
        self.resize(QSize(900, 600))
        desk.pool.run(self, components, self._fill)

    def _fill(self, parts: list[Component]) -> None:
        self.parts = parts
        for part in parts:
            self.list.addItem(f"{part.name} {part.version}".strip())
        self.list.setCurrentRow(0)

    def _show(self, number: int) -> None:
        if 0 <= number < len(self.parts):
            part = self.parts[number]
            self.licence.setText(part.licence)
            self.text.setPlainText(part.text())
